from cdk8s import Chart
from cdk8s_mlflow import (
    CloudNativePodMonitorOptions,
    CloudNativePostgres,
    CloudNativeSynchronousOptions,
    MlflowServer,
)
from constructs import Construct


class CloudNativeDatabases(Chart):
    """Several MLflow servers, each with a database and a login of its own, on one cluster of CloudNativePG.

    Its acknowledged points outlive the node of the primary. The Secrets exist, with the names of the owners:

        kubectl create secret generic vision-login --type=kubernetes.io/basic-auth \\
          --from-literal=username=vision --from-literal=password=your_secure_password
        kubectl label secret vision-login cnpg.io/reload=true
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = CloudNativePostgres(
            self,
            "postgres",
            max_connections=200,
            synchronous_replication=CloudNativeSynchronousOptions(),
            pod_monitor=CloudNativePodMonitorOptions(),
        )
        MlflowServer(self, "mlflow", backend=postgres)
        MlflowServer(
            self, "mlflow-vision", backend=postgres.add_database("vision", secret_name="vision-login")
        )
        MlflowServer(self, "mlflow-text", backend=postgres.add_database("text", secret_name="text-login"))
