from cdk8s import Chart
from cdk8s_mlflow import (
    EncryptionOptions,
    ExistingSecretPostgres,
    IngressOptions,
    MlflowAuth,
    MlflowServer,
    SecretKey,
)
from constructs import Construct


class SingleSignOn(Chart):
    """Single sign-on: a proxy in each pod, and MLflow behind it on the loopback address."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            ingress=IngressOptions(hosts=["mlflow.example.com"], tls_secret_name="mlflow-tls"),
            # The provider has to know https://mlflow.example.com/oauth2/callback.
            auth=MlflowAuth.oauth2_proxy(
                issuer_url="https://keycloak.example.com/realms/company",
                client_id="mlflow",
                client_secret=SecretKey.from_secret_name("mlflow-oauth2", "client-secret"),
                cookie_secret=SecretKey.from_secret_name("mlflow-oauth2", "cookie-secret"),
                email_domains=["example.com"],
                allowed_groups=["data-science"],
            ),
            encryption=EncryptionOptions(
                passphrase=SecretKey.from_secret_name("mlflow-oauth2", "passphrase")
            ),
        )
