from cdk8s import Chart
from cdk8s_mlflow import (
    DatabaseBootstrap,
    DatabaseConnectionCheck,
    ExistingSecretPostgres,
    MlflowServer,
    PostgresCredentials,
)
from constructs import Construct


class Bootstrap(Chart):
    """ "Prepare PostgreSQL Database" of the guide, without an administrator at a prompt."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = ExistingSecretPostgres(
            self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
        )
        DatabaseBootstrap(
            self,
            "bootstrap",
            backend=postgres,
            admin=PostgresCredentials.from_secret_name("postgres-admin-secret"),
        )
        MlflowServer(
            self,
            "mlflow",
            backend=postgres,
            database_connection_check=DatabaseConnectionCheck.init_container(database_may_appear=True),
        )
