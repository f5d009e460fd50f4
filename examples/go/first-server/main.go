package main

import (
	"github.com/aws/jsii-runtime-go"
	mlflow "github.com/cdk8s-mlflow/cdk8s-mlflow-go/cdk8smlflow"
	"github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2"
)

func main() {
	defer jsii.Close()

	app := cdk8s.NewApp(nil)
	chart := cdk8s.NewChart(app, jsii.String("mlflow"), nil)
	postgres := mlflow.NewBitnamiPostgres(chart, jsii.String("postgres"), &mlflow.BitnamiPostgresProps{
		Passwords: mlflow.BitnamiPasswords_FromLiterals(&mlflow.BitnamiPasswordLiterals{
			PostgresPassword: jsii.String("mlflow_password"),
		}),
	})
	mlflow.NewMlflowServer(chart, jsii.String("mlflow"), &mlflow.MlflowServerProps{Backend: postgres})
	app.Synth()
}
