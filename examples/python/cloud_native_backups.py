from cdk8s import ApiObject, ApiObjectMetadata, Chart, JsonPatch, Size
from cdk8s_mlflow import (
    CloudNativePluginOptions,
    CloudNativePostgres,
    CloudNativeStorageOptions,
    MlflowServer,
)
from constructs import Construct

PLUGIN = "barman-cloud.cloudnative-pg.io"


class CloudNativeBackups(Chart):
    """CloudNativePG with backups to a bucket: the write-ahead log as it is written, and the whole cluster
    each night, for point-in-time recovery. It needs the operator and its plugin barman-cloud, and a Secret
    with the keys of the bucket:

        kubectl create secret generic backup-bucket \\
          --from-literal=ACCESS_KEY_ID=your_id --from-literal=ACCESS_SECRET_KEY=your_key
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        # They stay with the cluster where everything but the data is removed.
        labels = {"app.kubernetes.io/component": "cluster"}
        store = ApiObject(
            self,
            "store",
            api_version="barmancloud.cnpg.io/v1",
            kind="ObjectStore",
            metadata=ApiObjectMetadata(name="postgres-backups", labels=labels),
        )
        configuration = {
            "destinationPath": "s3://your-bucket/postgres",
            "s3Credentials": {
                "accessKeyId": {"name": "backup-bucket", "key": "ACCESS_KEY_ID"},
                "secretAccessKey": {"name": "backup-bucket", "key": "ACCESS_SECRET_KEY"},
            },
            "wal": {"compression": "gzip"},
            "data": {"compression": "gzip"},
        }
        # An ApiObject of Python has no argument for what is not in its type.
        store.add_json_patch(
            JsonPatch.add("/spec", {"retentionPolicy": "30d", "configuration": configuration})
        )
        postgres = CloudNativePostgres(
            self,
            "postgres",
            storage=CloudNativeStorageOptions(size=Size.gibibytes(20)),
            plugins=[
                CloudNativePluginOptions(
                    name=PLUGIN, is_wal_archiver=True, parameters={"barmanObjectName": store.name}
                )
            ],
        )
        schedule = ApiObject(
            self,
            "schedule",
            api_version="postgresql.cnpg.io/v1",
            kind="ScheduledBackup",
            metadata=ApiObjectMetadata(name="postgres-nightly", labels=labels),
        )
        spec = {
            "cluster": {"name": postgres.cluster.name},
            # Seconds come first: each night at 2 o'clock, and once now.
            "schedule": "0 0 2 * * *",
            "immediate": True,
            "backupOwnerReference": "self",
            "method": "plugin",
            "pluginConfiguration": {"name": PLUGIN},
        }
        schedule.add_json_patch(JsonPatch.add("/spec", spec))
        MlflowServer(self, "mlflow", backend=postgres)
