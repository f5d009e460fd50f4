from cdk8s import Chart, Size
from cdk8s_mlflow import (
    ArtifactLocationRule,
    ExistingSecretPostgres,
    FileSource,
    MlflowServer,
    MySqlImport,
    MySqlSource,
    MySqlTls,
    WorkingCopy,
)
from constructs import Construct


class MigrationFromMySql(Chart):
    """The runs of an old server move from MySQL into PostgreSQL, and the new server waits."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = ExistingSecretPostgres(
            self,
            "postgres",
            host="your-postgres-host",
            secret_name="postgres-database-secret",
        )
        MySqlImport(
            self,
            "mysql-import",
            backend=postgres,
            source=MySqlSource(
                host="your-mysql-host",
                secret_name="mysql-login",
                tls=MySqlTls.verify_full(ca=FileSource.from_config_map("mysql-ca", "ca.pem")),
            ),
            artifact_locations=[
                ArtifactLocationRule(old_prefix="/mlflow/artifacts", new_prefix="mlflow-artifacts:/")
            ],
            working_copy=WorkingCopy.ephemeral_volume(size=Size.gibibytes(30)),
        )
        # When the Job is complete, take it out and the replicas up.
        MlflowServer(self, "mlflow", backend=postgres, replicas=0)
