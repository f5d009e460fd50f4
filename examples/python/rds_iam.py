from cdk8s import Chart
from cdk8s_mlflow import AwsIdentity, FileSource, MlflowServer, PostgresTls, RdsPostgres, S3Artifacts
from constructs import Construct


class RdsIam(Chart):
    """AWS without a password or a key: one role for the database and the artifacts, by IAM."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        identity = AwsIdentity.from_role("arn:aws:iam::123456789012:role/mlflow")
        MlflowServer(
            self,
            "mlflow",
            backend=RdsPostgres(
                self,
                "postgres",
                host="mlflow.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com",
                user="mlflow",
                identity=identity,
                tls=PostgresTls.verify_full(ca=FileSource.from_config_map("rds-ca", "eu-west-1-bundle.pem")),
                max_connections=200,
            ),
            artifact_root=S3Artifacts(bucket="your-bucket", region="eu-west-1", identity=identity),
            replicas=2,
        )
