from cdk8s import Chart
from cdk8s_mlflow import (
    AwsIdentity,
    ExistingSecretPostgres,
    ExternalSecret,
    MlflowServer,
    RemoteSecretKey,
    S3Artifacts,
    SecretStoreReference,
)
from constructs import Construct


class ExternalSecrets(Chart):
    """Every secret from a store outside of the cluster, by the External Secrets Operator: no manifest
    holds one.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        store = SecretStoreReference.from_cluster_secret_store_name("vault")
        login = ExternalSecret(
            self,
            "postgres-login",
            store=store,
            keys={
                "username": RemoteSecretKey(key="mlflow/postgres", property="username"),
                "password": RemoteSecretKey(key="mlflow/postgres", property="password"),
            },
        )
        bucket = ExternalSecret(
            self,
            "bucket-login",
            store=store,
            keys={
                "AWS_ACCESS_KEY_ID": RemoteSecretKey(key="mlflow/bucket", property="id"),
                "AWS_SECRET_ACCESS_KEY": RemoteSecretKey(key="mlflow/bucket", property="key"),
            },
        )
        MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name=login.secret_name
            ),
            artifact_root=S3Artifacts(
                bucket="your-bucket", identity=AwsIdentity.from_secret_name(bucket.secret_name)
            ),
        )
