from cdk8s import ApiObject, ApiObjectMetadata, Chart, Cron, Duration, JsonPatch, Size
from cdk8s_mlflow import (
    Autoscaling,
    AwsIdentity,
    BackupLocation,
    BackupRetention,
    CloudNativePodMonitorOptions,
    CloudNativePostgres,
    CloudNativeStorageOptions,
    CloudNativeSynchronousOptions,
    DatabaseMigration,
    DefaultPermission,
    EncryptionOptions,
    FileSource,
    IngressController,
    IngressOptions,
    IsolationOptions,
    MlflowAuth,
    MlflowGarbageCollection,
    MlflowMonitoring,
    MlflowServer,
    PoolingProfile,
    PostgresBackup,
    PrometheusScrape,
    S3Artifacts,
    ScrapeTlsOptions,
    SecretKey,
    ServerIsolationOptions,
    TlsCertificate,
)
from constructs import Construct


def key(name: str) -> SecretKey:
    return SecretKey.from_secret_name("mlflow-auth", name)


class Production(Chart):
    """All together, as a team depends on it. docs/production.md says what has to be in the cluster before."""

    def __init__(self, scope: Construct, id: str, namespace: str) -> None:
        super().__init__(scope, id, namespace=namespace)

        spec = {
            "secretName": "mlflow-tls",
            "dnsNames": ["mlflow", f"mlflow.{namespace}", f"mlflow.{namespace}.svc"],
            "issuerRef": {"kind": "ClusterIssuer", "name": "your-own-ca"},
        }
        ApiObject(
            self,
            "certificate",
            api_version="cert-manager.io/v1",
            kind="Certificate",
            metadata=ApiObjectMetadata(name="mlflow-tls"),
        ).add_json_patch(JsonPatch.add("/spec", spec))
        postgres = CloudNativePostgres(
            self,
            "postgres",
            storage=CloudNativeStorageOptions(size=Size.gibibytes(50)),
            wal_storage=CloudNativeStorageOptions(size=Size.gibibytes(10)),
            synchronous_replication=CloudNativeSynchronousOptions(),
            pod_monitor=CloudNativePodMonitorOptions(labels={"release": "kube-prometheus-stack"}),
        )
        bucket = {
            "endpoint": "https://s3.example.com",
            "identity": AwsIdentity.from_secret_name("mlflow-bucket"),
        }
        ca = FileSource.from_secret("mlflow-tls", "ca.crt")
        server = MlflowServer(
            self,
            "mlflow",
            backend=postgres,
            # Four pods, and the one that a rolling update adds.
            pooling=PoolingProfile.fitting(connections=90, pods=5, users_in_database=True),
            autoscaling=Autoscaling.by_resources(min_replicas=2, max_replicas=4),
            database_migration=DatabaseMigration.job(
                backup_to=BackupLocation.s3(bucket="mlflow-backups", **bucket)
            ),
            artifact_root=S3Artifacts(bucket="mlflow-artifacts", **bucket),
            auth=MlflowAuth.basic(
                admin_password=key("admin-password"),
                flask_secret_key=key("flask-key"),
                default_permission=DefaultPermission.NO_PERMISSIONS,
            ),
            encryption=EncryptionOptions(passphrase=key("passphrase")),
            certificate=TlsCertificate.from_secret_name("mlflow-tls"),
            ingress=IngressOptions(
                hosts=["mlflow.example.com"],
                class_name="traefik",
                controller=IngressController.traefik(ca=ca),
                tls_secret_name="mlflow-public-tls",
                annotations={"cert-manager.io/cluster-issuer": "your-public-issuer"},
            ),
            isolation=ServerIsolationOptions(),
            metrics=True,
        )
        backup = PostgresBackup(
            self,
            "mlflow-backup",
            backend=postgres,
            schedule=Cron.daily(),
            target=BackupLocation.s3(bucket="mlflow-backups", prefix="nightly", **bucket),
            retention=BackupRetention(max_age=Duration.days(30)),
            isolation=IsolationOptions(),
        )
        collection = MlflowGarbageCollection(
            self, "mlflow-gc", server=server, schedule=Cron.weekly(), older_than=Duration.days(30)
        )
        MlflowMonitoring(
            self,
            "mlflow-monitoring",
            server=server,
            scrape=PrometheusScrape.service_monitor(
                basic_auth_secret_name="mlflow-scraper", tls=ScrapeTlsOptions(ca=ca)
            ),
            labels={"release": "kube-prometheus-stack"},
            backups=[backup],
            operations=[collection],
        )
