from cdk8s import Chart
from cdk8s_mlflow import (
    DefaultPermission,
    EncryptionOptions,
    ExistingSecretPostgres,
    MlflowAuth,
    MlflowServer,
    SecretKey,
)
from constructs import Construct


class BasicAuth(Chart):
    """MLflow's own users and permissions, in PostgreSQL. What is secret is in a Secret that exists:

        kubectl create secret generic mlflow-auth --namespace mlflow \\
          --from-literal=admin-password="$(openssl rand -base64 24)" \\
          --from-literal=flask-key="$(openssl rand -hex 32)" \\
          --from-literal=passphrase="$(openssl rand -hex 32)"
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            auth=MlflowAuth.basic(
                admin_password=SecretKey.from_secret_name("mlflow-auth", "admin-password"),
                flask_secret_key=SecretKey.from_secret_name("mlflow-auth", "flask-key"),
                default_permission=DefaultPermission.NO_PERMISSIONS,
            ),
            encryption=EncryptionOptions(passphrase=SecretKey.from_secret_name("mlflow-auth", "passphrase")),
        )
