from cdk8s import Chart
from cdk8s_mlflow import BitnamiPasswords, BitnamiPostgres, MlflowServer
from constructs import Construct


class Bitnami(Chart):
    """Option 2 of the guide: PostgreSQL in the cluster, with the superuser as MLflow's login."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = BitnamiPostgres(
            self, "postgres", passwords=BitnamiPasswords.from_literals(postgres_password="mlflow_password")
        )
        MlflowServer(self, "mlflow", backend=postgres)
