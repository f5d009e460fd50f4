from cdk8s import Chart, Cron, Duration
from cdk8s_mlflow import ExistingSecretPostgres, MlflowGarbageCollection, MlflowServer
from constructs import Construct


class GarbageCollection(Chart):
    """What was deleted in MLflow is deleted for good a month later, artifacts included."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        server = MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
        )
        MlflowGarbageCollection(
            self,
            "mlflow-gc",
            server=server,
            schedule=Cron.schedule(minute="30", hour="3"),
            time_zone="Europe/Berlin",
            older_than=Duration.days(30),
        )
