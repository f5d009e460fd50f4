from cdk8s import Chart
from cdk8s_mlflow import (
    AwsIdentity,
    BitnamiPasswords,
    BitnamiPostgres,
    DatabaseMigration,
    IngressOptions,
    IsolationOptions,
    MlflowServer,
    NetworkPeer,
    NetworkRoute,
    PgBouncer,
    S3Addressing,
    S3Artifacts,
    ServerIsolationOptions,
)
from constructs import Construct


class Isolated(Chart):
    """Every pod reaches what it needs, and is reached by whom it serves. The edges follow from the
    backend and the store.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = BitnamiPostgres(
            self,
            "postgres",
            username="mlflow",
            passwords=BitnamiPasswords.from_secret_name("postgres-passwords"),
            isolation=IsolationOptions(),
        )
        MlflowServer(
            self,
            "mlflow",
            backend=PgBouncer(self, "pgbouncer", backend=postgres, isolation=IsolationOptions()),
            threads=7,
            database_migration=DatabaseMigration.job(),
            artifact_root=S3Artifacts(
                bucket="mlflow",
                endpoint="http://minio:9000",
                addressing=S3Addressing.PATH,
                identity=AwsIdentity.from_secret_name("minio-login"),
                # Without it, the server may reach every address on port 9000.
                route=NetworkRoute(peers=[NetworkPeer.pods({"app": "minio"})]),
            ),
            ingress=IngressOptions(hosts=["mlflow.example.com"], class_name="nginx"),
            isolation=ServerIsolationOptions(
                clients=[NetworkPeer.pods({"mlflow-client": "true"}), NetworkPeer.in_namespace("notebooks")]
            ),
        )
