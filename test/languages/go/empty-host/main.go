// Prints the message of the error that an empty host is.
package main

import (
	"fmt"

	"github.com/aws/jsii-runtime-go"
	mlflow "github.com/cdk8s-mlflow/cdk8s-mlflow-go/cdk8smlflow"
	"github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2"
)

func main() {
	defer jsii.Close()
	defer func() { fmt.Println(recover()) }()

	chart := cdk8s.NewChart(cdk8s.NewApp(nil), jsii.String("mlflow"), nil)
	mlflow.NewExternalPostgres(chart, jsii.String("postgres"), &mlflow.ExternalPostgresProps{
		Host:     jsii.String(""),
		User:     jsii.String("mlflow"),
		Password: jsii.String("secret"),
	})
}
