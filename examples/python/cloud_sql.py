from cdk8s import Chart
from cdk8s_mlflow import (
    CloudSqlIpType,
    CloudSqlLogin,
    CloudSqlPostgres,
    GcsArtifacts,
    GoogleIdentity,
    MlflowServer,
)
from constructs import Construct


class CloudSql(Chart):
    """Google Cloud without a password or a key: one account for the database and the artifacts, by
    workload identity.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        identity = GoogleIdentity.from_service_account("mlflow@your-project.iam.gserviceaccount.com")
        MlflowServer(
            self,
            "mlflow",
            backend=CloudSqlPostgres(
                self,
                "postgres",
                instance_connection_name="your-project:europe-west1:mlflow",
                identity=identity,
                login=CloudSqlLogin.iam("mlflow@your-project.iam"),
                ip_type=CloudSqlIpType.PRIVATE,
                max_connections=200,
            ),
            artifact_root=GcsArtifacts(bucket="your-bucket", identity=identity),
            replicas=2,
        )
