from cdk8s import Chart
from cdk8s_mlflow import ExistingSecretPostgres, MlflowServer, Persistence, PoolingProfile, VolumeArtifacts
from cdk8s_plus_28 import PersistentVolumeAccessMode
from constructs import Construct


class HighAvailability(Chart):
    """The guide's "High Availability Setup", with the replicas that the guide leaves out."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self,
                "postgres",
                host="your-postgres-cluster-endpoint",
                secret_name="postgres-database-secret",
                max_connections=100,
            ),
            replicas=2,
            # Three pods at the most fit the 100 connections. The guide writes out 20 + 30, which
            # would ask for 486 and fail here.
            pooling=PoolingProfile.HIGH_AVAILABILITY,
            artifact_root=VolumeArtifacts(
                persistence=Persistence.new_claim(access_modes=[PersistentVolumeAccessMode.READ_WRITE_MANY])
            ),
        )
