import os

from cdk8s import Chart
from cdk8s_mlflow import ExternalPostgres, MlflowServer
from constructs import Construct


class External(Chart):
    """Option 1 of the guide: a database that exists, with the login in plain text."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = ExternalPostgres(
            self,
            "postgres",
            host="your-postgres-host",
            user="mlflow_user",
            password=os.environ.get("MLFLOW_DATABASE_PASSWORD", "your_secure_password"),
        )
        MlflowServer(self, "mlflow", backend=postgres)
