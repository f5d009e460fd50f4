from cdk8s import ApiObject, Chart
from cdk8s_mlflow import DatabaseMigration, ExistingSecretPostgres, MlflowServer
from constructs import Construct

# Sync waves of Argo CD by kind. All else is in wave 0, such as what the pod of the Job needs.
WAVES = {"Job": "1", "Deployment": "2", "PersistentVolumeClaim": "2"}


class GitOps(Chart):
    """For Argo CD: the migration in a wave of its own, and ConfigMaps that stay until the new pods are
    ready.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            database_migration=DatabaseMigration.job(),
        )
        for each in self.node.find_all():
            if not ApiObject.is_api_object(each):
                continue
            if each.kind in WAVES:
                each.metadata.add_annotation("argocd.argoproj.io/sync-wave", WAVES[each.kind])
            if each.kind == "ConfigMap":
                each.metadata.add_annotation("argocd.argoproj.io/sync-options", "PruneLast=true")
