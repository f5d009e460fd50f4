from cdk8s import Chart
from cdk8s_mlflow import (
    DefaultPermission,
    EncryptionOptions,
    ExistingSecretPostgres,
    MlflowAuth,
    MlflowExperiment,
    MlflowObjects,
    MlflowPermission,
    MlflowRegisteredModel,
    MlflowServer,
    MlflowServiceUser,
    MlflowUser,
    MlflowWebhook,
    PermissionLevel,
    PermissionTarget,
    SecretKey,
    ServerIsolationOptions,
    WebhookEvent,
)
from constructs import Construct


def key(name: str) -> SecretKey:
    return SecretKey.from_secret_name("mlflow-auth", name)


class DeclaredObjects(Chart):
    """A server with an experiment, a model, a user, a login for a pipeline and a webhook: all declared
    beside it, and made by one Job.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, namespace="mlflow")

        server = MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            auth=MlflowAuth.basic(
                admin_password=key("admin-password"),
                flask_secret_key=key("flask-key"),
                default_permission=DefaultPermission.READ,
            ),
            encryption=EncryptionOptions(passphrase=key("passphrase"), webhook_key=key("webhook-key")),
            isolation=ServerIsolationOptions(),
        )

        objects = MlflowObjects(self, "mlflow-objects", server=server)
        churn = MlflowExperiment(self, "churn", objects=objects, tags={"team": "retention"})
        model = MlflowRegisteredModel(
            self, "churn-model", objects=objects, description="Who leaves next month?"
        )
        ada = MlflowUser(self, "ada", objects=objects, password=key("ada-password"))
        # The Job makes its password, and the Secret `pipeline-login`.
        pipeline = MlflowServiceUser(self, "pipeline", objects=objects)

        def grant(username: str, target: PermissionTarget, level: PermissionLevel) -> None:
            MlflowPermission(
                self,
                f"{username}-{level.name.lower()}",
                objects=objects,
                username=username,
                target=target,
                level=level,
            )

        grant(ada.username, PermissionTarget.experiment(churn.experiment_name), PermissionLevel.EDIT)
        grant(pipeline.username, PermissionTarget.registered_model(model.model_name), PermissionLevel.MANAGE)

        MlflowWebhook(
            self,
            "ci",
            objects=objects,
            url="https://ci.example.com/mlflow",
            events=[WebhookEvent.MODEL_VERSION_ALIAS_CREATED],
            secret=key("ci-secret"),
        )
