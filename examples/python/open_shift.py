from cdk8s import Chart
from cdk8s_mlflow import (
    BitnamiPasswords,
    BitnamiPostgres,
    ClusterSettings,
    FileSource,
    HttpProxy,
    ImageRegistry,
    IsolationOptions,
    LogFormat,
    MlflowServer,
    PgBouncer,
    ServerIsolationOptions,
)
from constructs import Construct


class OpenShift(Chart):
    """A cluster that assigns users to pods, without a way to the internet but a proxy, and with a
    mirror of all images.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        open_shift = ClusterSettings.open_shift()
        ClusterSettings.of(self).apply(
            pod_user=open_shift.pod_user,
            dns=open_shift.dns,
            image_registry=ImageRegistry.mirror("registry.example.com/mirror"),
            # A ConfigMap with the label config.openshift.io/inject-trusted-cabundle: "true" gets
            # the cluster's CAs.
            trusted_ca=FileSource.from_config_map("trusted-ca", "ca-bundle.crt"),
            http_proxy=HttpProxy.at("http://proxy.example.com:3128"),
            pod_labels={"example.com/cost-center": "ml"},
            log_format=LogFormat.JSON,
        )

        postgres = BitnamiPostgres(
            self,
            "postgres",
            passwords=BitnamiPasswords.from_secret_name("postgres-passwords"),
            isolation=IsolationOptions(),
        )
        MlflowServer(
            self,
            "mlflow",
            backend=PgBouncer(self, "pgbouncer", backend=postgres, isolation=IsolationOptions()),
            isolation=ServerIsolationOptions(),
        )
