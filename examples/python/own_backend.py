import jsii
from cdk8s import Chart
from cdk8s_mlflow import IPostgresBackend, MlflowServer, PostgresConnection, PostgresCredentials, PostgresTls
from cdk8s_plus_28 import EnvValue
from constructs import Construct


@jsii.implements(IPostgresBackend)
class ZalandoPostgres(Construct):
    """A backend of your own: the cluster of an operator, by the names that the operator publishes."""

    def __init__(self, scope: Construct, id: str, *, cluster: str, role: str) -> None:
        super().__init__(scope, id)
        secret = f"{role}.{cluster}.credentials.postgresql.acid.zalan.do"
        self._connection = PostgresConnection(
            host=EnvValue.from_value(cluster),
            port=EnvValue.from_value("5432"),
            database=EnvValue.from_value("mlflow"),
            credentials=PostgresCredentials.from_secret_name(secret),
            tls=PostgresTls.REQUIRE,
        )

    @property
    def connection(self) -> PostgresConnection:
        return self._connection


class OwnBackend(Chart):
    """Whatever yields a connection is a backend."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = ZalandoPostgres(self, "postgres", cluster="acid-mlflow", role="mlflow")
        MlflowServer(self, "mlflow", backend=postgres)
