from cdk8s import Chart, Size
from cdk8s_mlflow import CloudNativePostgres, CloudNativeStorageOptions, MlflowServer
from constructs import Construct


class CloudNative(Chart):
    """PostgreSQL by the CloudNativePG operator: three servers, failover and verified TLS. It needs the
    operator, nothing else.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = CloudNativePostgres(
            self,
            "postgres",
            storage=CloudNativeStorageOptions(size=Size.gibibytes(20)),
            wal_storage=CloudNativeStorageOptions(size=Size.gibibytes(5)),
        )
        MlflowServer(self, "mlflow", backend=postgres)
