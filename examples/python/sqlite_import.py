from cdk8s import Chart, Size
from cdk8s_mlflow import (
    ArtifactLocationRule,
    ExistingSecretPostgres,
    MlflowServer,
    SqliteImport,
    SqliteSource,
    WorkingCopy,
)
from constructs import Construct


class MigrationFromSqlite(Chart):
    """The guide's "Migration from SQLite": the runs of an old server move into PostgreSQL, and the new
    server waits.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = ExistingSecretPostgres(
            self,
            "postgres",
            host="postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com",
            secret_name="postgres-database-secret",
        )
        SqliteImport(
            self,
            "sqlite-import",
            backend=postgres,
            source=SqliteSource.from_claim("old-mlflow", "mlflow.db"),
            artifact_locations=[
                ArtifactLocationRule(old_prefix="/mlflow/mlruns", new_prefix="mlflow-artifacts:/")
            ],
            working_copy=WorkingCopy.ephemeral_volume(size=Size.gibibytes(10)),
        )
        # When the Job is complete, take it out and the replicas up.
        MlflowServer(self, "mlflow", backend=postgres, replicas=0)
