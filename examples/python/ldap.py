from cdk8s import Chart
from cdk8s_mlflow import (
    CustomLogin,
    EncryptionOptions,
    ExistingSecretPostgres,
    FileSource,
    MlflowAuth,
    MlflowServer,
    SecretKey,
)
from cdk8s_plus_28 import EnvValue
from constructs import Construct


class Ldap(Chart):
    """Users of an LDAP server, with MLflow's own permissions. The image has to contain `ldap3`."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        MlflowServer(
            self,
            "mlflow",
            image="registry.example.com/mlflow:v3.18.0-full-ldap3",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            auth=MlflowAuth.custom(
                login=CustomLogin.authorization_function(
                    "ldap_auth:authenticate",
                    admin_password=SecretKey.from_secret_name("mlflow-auth", "admin-password"),
                    flask_secret_key=SecretKey.from_secret_name("mlflow-auth", "flask-key"),
                ),
                files={"ldap_auth.py": FileSource.from_config_map("ldap-auth", "ldap_auth.py")},
                env_variables={
                    "LDAP_URL": EnvValue.from_value("ldaps://ldap.example.com"),
                    "LDAP_USERS": EnvValue.from_value("ou=people,dc=example,dc=com"),
                },
            ),
            encryption=EncryptionOptions(passphrase=SecretKey.from_secret_name("mlflow-auth", "passphrase")),
        )
