from cdk8s import ApiObject, ApiObjectMetadata, Chart, JsonPatch
from cdk8s_mlflow import ExistingSecretPostgres, IngressOptions, MlflowServer
from cdk8s_plus_28 import EnvValue, Node, NodeLabelQuery, NodeTaintQuery, ServiceAccount
from constructs import Construct


class CustomizedDeployment(Chart):
    """What cdk8s-plus-28 can do with a Deployment needs no prop: go on from `server.deployment`."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        server = MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
            service_account=ServiceAccount(
                self,
                "identity",
                metadata=ApiObjectMetadata(
                    name="mlflow-identity",
                    annotations={"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/mlflow"},
                ),
            ),
            ingress=IngressOptions(
                hosts=["mlflow.example.com"], class_name="nginx", tls_secret_name="mlflow-tls"
            ),
            extra_env_vars={"MLFLOW_SERVER_X_FRAME_OPTIONS": EnvValue.from_value("DENY")},
        )

        server.deployment.pod_metadata.add_label("team", "ml-platform")
        server.deployment.pod_metadata.add_annotation(
            "cluster-autoscaler.kubernetes.io/safe-to-evict", "true"
        )
        server.deployment.scheduling.attract(Node.labeled(NodeLabelQuery.is_("pool", "services")))
        server.deployment.scheduling.tolerate(Node.tainted(NodeTaintQuery.is_("dedicated", "services")))
        # And what even cdk8s-plus-28 lacks:
        ApiObject.of(server.deployment).add_json_patch(JsonPatch.add("/spec/revisionHistoryLimit", 3))
