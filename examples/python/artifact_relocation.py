from cdk8s import Chart
from cdk8s_mlflow import (
    ArtifactRelocation,
    AwsIdentity,
    ExistingSecretPostgres,
    MlflowServer,
    Persistence,
    S3Artifacts,
    VolumeArtifacts,
)
from constructs import Construct


class ArtifactsToBucket(Chart):
    """Artifacts move from the volume of a server into a bucket, and the server waits."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        backend = ExistingSecretPostgres(
            self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
        )
        bucket = S3Artifacts(
            bucket="team-models",
            prefix="mlflow",
            region="eu-central-1",
            identity=AwsIdentity.from_secret_name("s3-credentials"),
        )
        ArtifactRelocation(
            self,
            "relocation",
            backend=backend,
            source=VolumeArtifacts(persistence=Persistence.existing_claim("mlflow-artifacts")),
            target=bucket,
        )
        # When the Job is complete, take it out and the replicas up.
        MlflowServer(self, "mlflow", backend=backend, artifact_root=bucket, replicas=0)
