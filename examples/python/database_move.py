from cdk8s import Chart, Size
from cdk8s_mlflow import CloudNativePostgres, DatabaseMove, ExistingSecretPostgres, MlflowServer, WorkingCopy
from constructs import Construct


class MoveToCloudNative(Chart):
    """A database moves from Bitnami's chart to CloudNativePG, and the server waits."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        old = ExistingSecretPostgres(
            self, "old", host="mlflow-postgresql", secret_name="postgres-database-secret"
        )
        backend = CloudNativePostgres(self, "cluster")
        DatabaseMove(
            self,
            "move",
            source=old,
            target=backend,
            working_copy=WorkingCopy.ephemeral_volume(size=Size.gibibytes(20)),
        )
        # When the Job is complete, take it out and the replicas up.
        MlflowServer(self, "mlflow", backend=backend, replicas=0)
