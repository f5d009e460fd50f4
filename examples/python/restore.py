from cdk8s import Chart
from cdk8s_mlflow import BackupLocation, ExistingSecretPostgres, Persistence, PostgresRestore
from constructs import Construct


class Restore(Chart):
    """A dump into an empty database. In a chart of its own, which is applied when it is needed."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        PostgresRestore(
            self,
            "restore",
            backend=ExistingSecretPostgres(
                self,
                "postgres",
                host="your-postgres-host",
                database="mlflow_restored",
                secret_name="postgres-database-secret",
            ),
            source=BackupLocation.volume(Persistence.existing_claim("hourly-dumps")),
            # Without this line, the newest one.
            dump="hourly-20260102T030000Z-x7k2p",
        )
