package main

import (
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	mlflow "github.com/cdk8s-mlflow/cdk8s-mlflow-go/cdk8smlflow"
	"github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2"
	"github.com/cdk8s-team/cdk8s-plus-go/cdk8splus28/v2"
)

// A backend of your own: the cluster of an operator, by the names that the operator publishes.
type zalandoPostgres struct {
	constructs.Construct
	connection mlflow.PostgresConnection
}

func (z *zalandoPostgres) Connection() mlflow.PostgresConnection {
	return z.connection
}

func newZalandoPostgres(scope constructs.Construct, id, cluster, role string) mlflow.IPostgresBackend {
	secret := role + "." + cluster + ".credentials.postgresql.acid.zalan.do"
	// The connection comes first: jsii loads the library at the first call of it, and the construct below names its interface.
	postgres := &zalandoPostgres{connection: mlflow.NewPostgresConnection(&mlflow.PostgresConnectionProps{
		Host:        cdk8splus28.EnvValue_FromValue(&cluster),
		Port:        cdk8splus28.EnvValue_FromValue(jsii.String("5432")),
		Database:    cdk8splus28.EnvValue_FromValue(jsii.String("mlflow")),
		Credentials: mlflow.PostgresCredentials_FromSecretName(&secret, nil),
		Tls:         mlflow.PostgresTls_REQUIRE(),
	})}
	constructs.NewConstruct_Override(postgres, scope, &id)
	return postgres
}

func main() {
	defer jsii.Close()

	app := cdk8s.NewApp(nil)
	chart := cdk8s.NewChart(app, jsii.String("own-backend"), nil)
	postgres := newZalandoPostgres(chart, "postgres", "acid-mlflow", "mlflow")
	mlflow.NewMlflowServer(chart, jsii.String("mlflow"), &mlflow.MlflowServerProps{Backend: postgres})
	app.Synth()
}
