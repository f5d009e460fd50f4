from cdk8s import ApiObjectMetadata, Chart, Cron
from cdk8s_mlflow import (
    EncryptionOptions,
    ExistingSecretPostgres,
    FileSource,
    MlflowAuth,
    MlflowLogin,
    MlflowServer,
    SecretKey,
    ServerIsolationOptions,
    TlsCertificate,
)
from cdk8s_plus_28 import ContainerProps, CronJob
from constructs import Construct

TRAINING = 'import mlflow; mlflow.set_experiment("nightly"); mlflow.log_metric("loss", 0.1)'


class Client(Chart):
    """A training of your own that logs to the server: its pods get the address, a login and the CA, and the
    server lets them alone in.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, namespace="mlflow")

        server = MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            # The certificate is for mlflow.mlflow, the name in the cluster.
            certificate=TlsCertificate.from_secret_name("mlflow-tls"),
            auth=MlflowAuth.basic(
                admin_password=SecretKey.from_secret_name("mlflow-auth", "admin-password"),
                flask_secret_key=SecretKey.from_secret_name("mlflow-auth", "flask-key"),
            ),
            encryption=EncryptionOptions(passphrase=SecretKey.from_secret_name("mlflow-auth", "passphrase")),
            isolation=ServerIsolationOptions(clients=[]),
        )

        train = ContainerProps(
            name="train", image="registry.example.com/training:1.0", command=["python", "-c", TRAINING]
        )
        training = CronJob(
            self,
            "training",
            metadata=ApiObjectMetadata(name="training"),
            schedule=Cron.daily(),
            containers=[train],
        )
        server.connect(
            training,
            # A user of MLflow, whom its administrator has made.
            login=MlflowLogin.from_secret_name("training-login"),
            ca=FileSource.from_secret("mlflow-tls", "ca.crt"),
        )
