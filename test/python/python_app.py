"""An app as a Python user writes it: a profile and a backend of their own. Prints what it synthesizes."""

import json
import tempfile

import jsii
from cdk8s import App, Chart, Duration, Testing
from cdk8s_mlflow import (
    Diagram,
    ExternalPostgres,
    IPostgresBackend,
    MlflowServer,
    PoolingProfile,
    PostgresConnection,
    PostgresCredentials,
    PostgresTls,
)
from cdk8s_plus_28 import EnvValue
from constructs import Construct


class BehindFirewall(PoolingProfile):
    def __init__(self) -> None:
        super().__init__(pool_size=12, max_overflow=1, recycle=Duration.minutes(9))


@jsii.implements(IPostgresBackend)
class OwnBackend(Construct):
    @property
    def connection(self) -> PostgresConnection:
        return PostgresConnection(
            host=EnvValue.from_value("own-db"),
            port=EnvValue.from_value("5432"),
            database=EnvValue.from_value("mlflow"),
            credentials=PostgresCredentials.from_secret_name("login"),
            tls=PostgresTls.REQUIRE,
        )


app = App(outdir=tempfile.mkdtemp())
chart = Chart(app, "mlflow")
postgres = ExternalPostgres(chart, "postgres", host="db", user="mlflow_user", password="secret")
MlflowServer(chart, "mlflow", backend=postgres, pooling=BehindFirewall())
logged = PoolingProfile.STANDARD.extend(echo=True)
MlflowServer(chart, "other", backend=OwnBackend(chart, "own"), pooling=logged)
try:
    ExternalPostgres(chart, "bad", host="", user="u", password="p")
    error = ""
except Exception as raised:
    error = str(raised)
print(json.dumps({"manifests": Testing.synth(chart), "error": error, "diagram": Diagram.mermaid(chart)}))
