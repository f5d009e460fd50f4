from cdk8s import Chart
from cdk8s_mlflow import ExistingSecretPostgres, MlflowServer
from constructs import Construct


class ExistingSecret(Chart):
    """Option 3 of the guide: a database that exists, with the login in a Secret that exists:

        kubectl create secret generic postgres-database-secret --namespace mlflow \\
          --from-literal=username=mlflow_user --from-literal=password=your_secure_password
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = ExistingSecretPostgres(
            self,
            "postgres",
            host="postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com",
            secret_name="postgres-database-secret",
        )
        MlflowServer(self, "mlflow", backend=postgres)
