from cdk8s import Chart, Duration
from cdk8s_mlflow import (
    BackendTlsOptions,
    ExistingSecretPostgres,
    FileSource,
    GatewayReference,
    HttpRouteOptions,
    IngressController,
    IngressOptions,
    MlflowServer,
    TlsCertificate,
)
from constructs import Construct


class Gateway(Chart):
    """Two ways in from outside: a Gateway for what is new, an Ingress for who is not there yet. HTTPS
    up to the pod.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            certificate=TlsCertificate.from_secret_name("mlflow-tls"),
            http_route=HttpRouteOptions(
                gateways=[GatewayReference(name="public", gateway_namespace="gateways")],
                hosts=["mlflow.example.com"],
                request_timeout=Duration.hours(1),
                # The certificate is for the name of the Service, and cert-manager stores the CA
                # that signed it in its Secret.
                backend_tls=BackendTlsOptions(ca=FileSource.from_secret("mlflow-tls", "ca.crt")),
            ),
            ingress=IngressOptions(
                hosts=["mlflow-old.example.com"],
                class_name="nginx",
                tls_secret_name="mlflow-old-tls",
                # Models are larger than the 1 MiB that nginx lets through by itself.
                controller=IngressController.ingress_nginx(timeout=Duration.hours(1)),
            ),
        )
