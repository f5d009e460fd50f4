from cdk8s import Chart, JsonPatch, Size
from cdk8s_mlflow import (
    CloudNativePluginOptions,
    CloudNativePostgres,
    CloudNativeStorageOptions,
    MlflowServer,
)
from constructs import Construct

PLUGIN = "barman-cloud.cloudnative-pg.io"
STORE = "postgres-backups"


class CloudNativeRecovery(Chart):
    """The way back from `CloudNativeBackups`, applied in its place: a new cluster with what the database had
    at `target_time`, or with all that was archived, and the server on it. The old cluster stays until
    somebody deletes it.
    """

    def __init__(self, scope: Construct, id: str, target_time: str | None = None) -> None:
        super().__init__(scope, id)

        postgres = CloudNativePostgres(
            self,
            "postgres-restored",
            storage=CloudNativeStorageOptions(size=Size.gibibytes(20)),
            # It archives under its own name, beside the old cluster.
            plugins=[
                CloudNativePluginOptions(
                    name=PLUGIN, is_wal_archiver=True, parameters={"barmanObjectName": STORE}
                )
            ],
        )
        recovery = {"source": "old", "database": "mlflow", "owner": "mlflow"}
        if target_time:
            recovery["recoveryTarget"] = {"targetTime": target_time}
        parameters = {"barmanObjectName": STORE, "serverName": "postgres"}
        # The defaults, too: Argo CD compares the list as a whole.
        plugin = {"name": PLUGIN, "enabled": True, "isWALArchiver": False, "parameters": parameters}
        postgres.cluster.add_json_patch(
            JsonPatch.replace("/spec/bootstrap", {"recovery": recovery}),
            JsonPatch.add("/spec/externalClusters", [{"name": "old", "plugin": plugin}]),
        )
        MlflowServer(self, "mlflow", backend=postgres)
