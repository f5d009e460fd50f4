from cdk8s import Chart, Duration
from cdk8s_mlflow import (
    AlertRule,
    AlertThresholds,
    BitnamiPasswords,
    BitnamiPostgres,
    MlflowAlert,
    MlflowMonitoring,
    MlflowServer,
    PostgresExporter,
)
from constructs import Construct


class Monitoring(Chart):
    """A server that Prometheus watches and Grafana shows, with its database."""

    def __init__(self, scope: Construct, id: str, namespace: str) -> None:
        super().__init__(scope, id, namespace=namespace)

        postgres = BitnamiPostgres(
            self, "postgres", passwords=BitnamiPasswords.from_literals(postgres_password="mlflow_password")
        )
        server = MlflowServer(self, "mlflow", backend=postgres, metrics=True)
        used = f'mlflow_http_request_total{{namespace="{namespace}",job="mlflow"}}'
        MlflowMonitoring(
            self,
            "mlflow-monitoring",
            server=server,
            # The label by which the Prometheus of the chart kube-prometheus-stack selects what it watches.
            labels={"release": "kube-prometheus-stack"},
            postgres_exporter=PostgresExporter(self, "postgres-exporter", backend=postgres),
            volume_claims=postgres.volume_claims,
            thresholds=AlertThresholds(error_ratio=0.02, latency=Duration.seconds(5)),
            exclude_alerts=[MlflowAlert.PODS_UNAVAILABLE],
            extra_rules=[
                AlertRule(
                    name="MlflowIdle",
                    expression=f"sum(rate({used}[1h])) == 0",
                    duration=Duration.days(7),
                    summary="Nobody has used the server for a week.",
                )
            ],
        )
