from cdk8s import Chart, Cron, Duration
from cdk8s_mlflow import (
    AiGatewayOptions,
    BackupLocation,
    DatabaseMigration,
    DefaultPermission,
    EncryptionOptions,
    ExistingSecretPostgres,
    MigrationRollback,
    MlflowAuth,
    MlflowMonitoring,
    MlflowServer,
    MlflowTraceArchival,
    NetworkPeer,
    NetworkRoute,
    PrometheusScrape,
    SecretKey,
    ServerIsolationOptions,
    TraceArchivalOptions,
)
from constructs import Construct


def key(name: str) -> SecretKey:
    return SecretKey.from_secret_name("mlflow-auth", name)


class Teams(Chart):
    """A server for several teams: workspaces, an AI Gateway to a model in the cluster, old traces out
    of the database, a way back.
    """

    def __init__(self, scope: Construct, id: str, namespace: str) -> None:
        super().__init__(scope, id, namespace=namespace)

        server = MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="mlflow-database"
            ),
            auth=MlflowAuth.basic(
                admin_password=key("admin-password"),
                flask_secret_key=key("flask-key"),
                grant_default_workspace_access=True,
                default_permission=DefaultPermission.USE,
            ),
            encryption=EncryptionOptions(passphrase=key("passphrase")),
            workspaces=True,
            ai_gateway=AiGatewayOptions(
                allowed_providers=["openai"],
                # A vLLM, which has the API of this provider.
                allow_private_addresses=True,
                allow_http=True,
                upstreams=[
                    NetworkRoute(peers=[NetworkPeer.pods_of("models", {"app": "vllm"})], ports=[8000])
                ],
            ),
            isolation=ServerIsolationOptions(),
            trace_archival=TraceArchivalOptions(retention=Duration.days(30)),
            database_migration=DatabaseMigration.job(backup_to=BackupLocation.volume()),
            metrics=True,
        )
        MigrationRollback(self, "mlflow-rollback", server=server)
        MlflowMonitoring(
            self,
            "mlflow-monitoring",
            server=server,
            scrape=PrometheusScrape.service_monitor(basic_auth_secret_name="mlflow-scraper"),
            operations=[
                MlflowTraceArchival(self, "mlflow-trace-archival", server=server, schedule=Cron.hourly())
            ],
        )
