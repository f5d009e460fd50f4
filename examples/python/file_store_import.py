from cdk8s import Chart
from cdk8s_mlflow import (
    ArtifactLocationRule,
    ExistingSecretPostgres,
    FileStoreImport,
    FileStoreSource,
    MlflowServer,
)
from constructs import Construct


class MigrationFromFileStore(Chart):
    """The runs of a folder `mlruns` move into PostgreSQL, and the new server waits."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = ExistingSecretPostgres(
            self,
            "postgres",
            host="your-postgres-host",
            secret_name="postgres-database-secret",
        )
        FileStoreImport(
            self,
            "file-store-import",
            backend=postgres,
            source=FileStoreSource.from_claim("old-mlflow", "mlruns"),
            artifact_locations=[
                ArtifactLocationRule(old_prefix="/mlflow/mlruns", new_prefix="mlflow-artifacts:/")
            ],
        )
        # When the Job is complete, take it out and the replicas up.
        MlflowServer(self, "mlflow", backend=postgres, replicas=0)
