from cdk8s import ApiObject, Chart, JsonPatch
from cdk8s_mlflow import ClusterSettings, ExistingSecretPostgres, MlflowServer
from cdk8s_plus_28 import k8s
from constructs import Construct


class CustomizedPods(Chart):
    """Labels, nodes and fields of a server's pods without a class of cdk8s-plus: for an app with any
    version of it.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        server = MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
            ),
        )
        ClusterSettings.of(server).apply(
            pod_labels={"team": "ml-platform"},
            pod_annotations={"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"},
            node_selector={"example.com/pool": "services"},
            tolerations=[k8s.Toleration(key="dedicated", value="services", effect="NoSchedule")],
        )
        ApiObject.of(server.deployment).add_json_patch(JsonPatch.add("/spec/revisionHistoryLimit", 3))
