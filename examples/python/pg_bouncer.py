from cdk8s import Chart
from cdk8s_mlflow import (
    BitnamiPasswords,
    BitnamiPostgres,
    MlflowServer,
    Persistence,
    PgBouncer,
    VolumeArtifacts,
)
from cdk8s_plus_28 import PersistentVolumeAccessMode
from constructs import Construct


class PooledConnections(Chart):
    """Four replicas, and the one that a rolling update adds, share 96 connections to PostgreSQL
    instead of opening 210.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = BitnamiPostgres(
            self,
            "postgres",
            username="mlflow",
            passwords=BitnamiPasswords.from_literals(password="mlflow_password"),
        )
        MlflowServer(
            self,
            "mlflow",
            backend=PgBouncer(self, "pgbouncer", backend=postgres),
            replicas=4,
            # 5 pods x 2 workers x 3 threads are 30 calls at once: fewer than the 31 connections of
            # either PgBouncer.
            threads=3,
            artifact_root=VolumeArtifacts(
                persistence=Persistence.new_claim(access_modes=[PersistentVolumeAccessMode.READ_WRITE_MANY])
            ),
        )
