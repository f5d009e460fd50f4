from cdk8s import ApiObject, Chart
from cdk8s_mlflow import DatabaseMigration, ExistingSecretPostgres, MlflowServer
from constructs import Construct

# Sync waves of Argo CD by kind. All else is in wave 0, such as what the pod of the Job needs.
WAVES = {"Job": "1", "Deployment": "2", "PersistentVolumeClaim": "2"}


# ConfigMaps stay until the new pods are ready, and data stays whatever Argo CD removes.
SYNC_OPTIONS = {"ConfigMap": "PruneLast=true", "PersistentVolumeClaim": "Prune=false,Delete=false"}


class GitOps(Chart):
    """For Argo CD: the migration in a wave of its own."""

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
        annotate_for_argo_cd(self)


def annotate_for_argo_cd(chart: Chart) -> None:
    """Adds waves and sync options to all objects of a chart."""
    for each in chart.node.find_all():
        if not ApiObject.is_api_object(each):
            continue
        for name, values in (("sync-wave", WAVES), ("sync-options", SYNC_OPTIONS)):
            if each.kind in values:
                each.metadata.add_annotation(f"argocd.argoproj.io/{name}", values[each.kind])
