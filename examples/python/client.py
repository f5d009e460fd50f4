from cdk8s import ApiObject, ApiObjectMetadata, Chart, Cron, JsonPatch, Size
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
from cdk8s_plus_28 import (
    ContainerProps,
    ContainerResources,
    Cpu,
    CpuResources,
    CronJob,
    EphemeralStorageResources,
    MemoryResources,
)
from constructs import Construct

TRAINING = 'import mlflow; mlflow.set_experiment("nightly"); mlflow.log_metric("loss", 0.1)'


class Client(Chart):
    """A training of your own that logs to the server: its pods get the address, a login and the CA, and the
    server lets them alone in.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, namespace="mlflow")

        def key(name: str) -> SecretKey:
            return SecretKey.from_secret_name("mlflow-auth", name)

        server = MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            # The certificate is for mlflow.mlflow, the name in the cluster.
            certificate=TlsCertificate.from_secret_name("mlflow-tls"),
            auth=MlflowAuth.basic(admin_password=key("admin-password"), flask_secret_key=key("flask-key")),
            encryption=EncryptionOptions(passphrase=key("passphrase")),
            isolation=ServerIsolationOptions(clients=[]),
        )

        train = ContainerProps(
            name="train",
            image="registry.example.com/training:1.0",
            command=["python", "-c", TRAINING],
            resources=ContainerResources(
                cpu=CpuResources(request=Cpu.millis(500), limit=Cpu.units(1)),
                memory=MemoryResources(request=Size.mebibytes(512), limit=Size.mebibytes(512)),
                ephemeral_storage=EphemeralStorageResources(
                    request=Size.gibibytes(1), limit=Size.gibibytes(1)
                ),
            ),
        )
        training = CronJob(
            self,
            "training",
            metadata=ApiObjectMetadata(name="training"),
            schedule=Cron.daily(),
            containers=[train],
        )
        # A namespace of the restricted standard requires both, and cdk8s-plus-28 has no props for them.
        path = "/spec/jobTemplate/spec/template/spec/containers/0/securityContext"
        ApiObject.of(training).add_json_patch(
            JsonPatch.add(f"{path}/capabilities", {"drop": ["ALL"]}),
            JsonPatch.add(f"{path}/seccompProfile", {"type": "RuntimeDefault"}),
        )
        server.connect(
            training,
            login=MlflowLogin.from_secret_name("training-login"),
            ca=FileSource.from_secret("mlflow-tls", "ca.crt"),
        )
