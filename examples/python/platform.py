from __future__ import annotations

from dataclasses import dataclass

from cdk8s import ApiObject, ApiObjectMetadata, App, Chart, Cron, Duration, JsonPatch
from cdk8s_mlflow import (
    AwsIdentity,
    DatabaseBootstrap,
    DatabaseConnectionCheck,
    EncryptionOptions,
    ExistingSecretPostgres,
    ExternalSecret,
    FileSource,
    GatewayReference,
    HttpRouteOptions,
    IPostgresBackend,
    IsolationOptions,
    MlflowAuth,
    MlflowGarbageCollection,
    MlflowServer,
    NetworkPeer,
    PoolingProfile,
    PostgresCredentials,
    PostgresDatabase,
    PostgresExporter,
    PostgresTls,
    RemoteSecretKey,
    S3Artifacts,
    SecretKey,
    SecretStoreReference,
    ServerIsolationOptions,
)
from constructs import Construct


@dataclass(frozen=True)
class Team:
    """A team: its size, and its budget of connections to PostgreSQL."""

    name: str
    replicas: int
    connections: int


TEAMS = [Team("vision", replicas=2, connections=120), Team("text", replicas=1, connections=60)]


def add_platform(app: App, teams: list[Team] = TEAMS) -> None:
    """One chart, and so one file, for what the teams share, and one for each team. A new team is a new
    line in the list.
    """
    platform = Platform(app, "platform")
    platform.make_databases([TeamSpace(app, f"team-{team.name}", team, platform.postgres) for team in teams])


class Platform(Chart):
    """PostgreSQL, whose connections are counted over all charts, and the Gateway. Only here is the
    administrator's login.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, namespace="mlflow-platform")
        add_namespace(self)

        self.postgres = ExistingSecretPostgres(
            self,
            "postgres",
            host="postgres.example.com",
            database="postgres",
            secret_name=login(self, "postgres-admin"),
            # The ConfigMap is in every namespace, by trust-manager for example.
            tls=PostgresTls.verify_full(ca=FileSource.from_config_map("postgres-ca", "ca.crt")),
            max_connections=200,
        )
        PostgresExporter(
            self,
            "postgres-exporter",
            backend=self.postgres,
            credentials=PostgresCredentials.from_secret_name(login(self, "postgres-monitoring")),
        )
        allowed_routes = {
            "namespaces": {"from": "Selector", "selector": {"matchLabels": {"mlflow-team": "true"}}}
        }
        listener = {
            "name": "https",
            "hostname": "*.mlflow.example.com",
            "port": 443,
            "protocol": "HTTPS",
            "tls": {
                "mode": "Terminate",
                "certificateRefs": [{"group": "", "kind": "Secret", "name": "mlflow-tls"}],
            },
            "allowedRoutes": allowed_routes,
        }
        spec = {"gatewayClassName": "your-gateway-class", "listeners": [listener]}
        add_object(self, "gateway", "gateway.networking.k8s.io/v1", "Gateway", "mlflow", spec)

    def make_databases(self, teams: list[TeamSpace]) -> None:
        """One Job makes all databases and their owners. It reads the logins from Secrets of its own
        namespace.
        """
        for space in teams:
            login(self, f"{space.team}-database")
        backends: list[IPostgresBackend] = [space.database for space in teams]
        if backends:
            DatabaseBootstrap(
                self,
                "bootstrap",
                backend=backends[0],
                further_backends=backends[1:],
                admin=PostgresCredentials.from_secret_name("postgres-admin"),
                isolation=IsolationOptions(),
            )


class TeamSpace(Chart):
    """A namespace of a team, with a quota.

    Pods of other teams do not get in; its server has a database and a bucket of its own.
    """

    def __init__(self, scope: Construct, id: str, team: Team, server: IPostgresBackend) -> None:
        super().__init__(scope, id, namespace=f"mlflow-{team.name}")
        self.team = team.name
        add_namespace(self, {"mlflow-team": "true"})
        self.add_limits(team.replicas)

        self.database = PostgresDatabase(
            self,
            "database",
            server=server,
            database=team.name,
            credentials=PostgresCredentials.from_secret_name(login(self, f"{team.name}-database")),
        )
        secret = from_vault(
            self, f"{team.name}-auth", ["admin-password", "flask-key", "passphrase"]
        ).secret_name
        mlflow = MlflowServer(
            self,
            "mlflow",
            backend=self.database,
            replicas=team.replicas,
            # The budget, without the connections of the garbage collection. A rolling update adds a pod.
            pooling=PoolingProfile.fitting(
                connections=team.connections - 3, pods=team.replicas + 1, users_in_database=True
            ),
            auth=MlflowAuth.basic(
                admin_password=SecretKey.from_secret_name(secret, "admin-password"),
                flask_secret_key=SecretKey.from_secret_name(secret, "flask-key"),
            ),
            encryption=EncryptionOptions(passphrase=SecretKey.from_secret_name(secret, "passphrase")),
            artifact_root=S3Artifacts(
                bucket=f"your-mlflow-{team.name}",
                region="eu-west-1",
                identity=AwsIdentity.from_role(f"arn:aws:iam::123456789012:role/mlflow-{team.name}"),
            ),
            database_connection_check=DatabaseConnectionCheck.init_container(database_may_appear=True),
            http_route=HttpRouteOptions(
                gateways=[GatewayReference(name="mlflow", gateway_namespace="mlflow-platform")],
                hosts=[f"{team.name}.mlflow.example.com"],
            ),
            # The pods of the Gateway are in its namespace.
            isolation=ServerIsolationOptions(
                ingress_controllers=[NetworkPeer.in_namespace("mlflow-platform")]
            ),
        )
        MlflowGarbageCollection(
            self, "mlflow-gc", server=mlflow, schedule=Cron.daily(), older_than=Duration.days(30)
        )

    def add_limits(self, replicas: int) -> None:
        # The pods of the server, one more in a rolling update, and one of the garbage collection.
        pods = str(replicas + 2)
        hard = {
            "pods": pods,
            "requests.cpu": pods,
            "requests.memory": f"{pods}Gi",
            "persistentvolumeclaims": "0",
        }
        add_object(self, "quota", "v1", "ResourceQuota", "team", {"hard": hard})
        closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        add_object(self, "default-deny", "networking.k8s.io/v1", "NetworkPolicy", "default-deny", closed)


def add_object(chart: Chart, id: str, api_version: str, kind: str, name: str, spec: dict) -> None:
    made = ApiObject(chart, id, api_version=api_version, kind=kind, metadata=ApiObjectMetadata(name=name))
    # An ApiObject of Python has no argument for what is not in its type.
    made.add_json_patch(JsonPatch.add("/spec", spec))


def add_namespace(chart: Chart, labels: dict[str, str] | None = None) -> None:
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = ApiObjectMetadata(name=chart.namespace, labels={**restricted, **(labels or {})})
    namespace = ApiObject(chart, "namespace", api_version="v1", kind="Namespace", metadata=metadata)
    # The chart puts everything into its namespace, where this one cannot be.
    namespace.add_json_patch(JsonPatch.remove("/metadata/namespace"))


def login(scope: Construct, id: str) -> str:
    """A login from a store: the Secret, with the keys `username` and `password`, is named by the id."""
    return from_vault(scope, id, ["username", "password"]).secret_name


def from_vault(scope: Construct, id: str, properties: list[str]) -> ExternalSecret:
    return ExternalSecret(
        scope,
        id,
        store=SecretStoreReference.from_cluster_secret_store_name("vault"),
        keys={each: RemoteSecretKey(key=f"mlflow/{id}", property=each) for each in properties},
    )
