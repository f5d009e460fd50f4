from cdk8s import App, Chart, Duration, Size
from cdk8s_mlflow import (
    ArtifactAccess,
    Autoscaling,
    AwsIdentity,
    ExistingSecretPostgres,
    MlflowServer,
    PostgresTls,
    S3Artifacts,
    ServiceOptions,
)
from cdk8s_plus_28 import (
    ContainerResources,
    Cpu,
    CpuResources,
    MemoryResources,
    Replicas,
    ScalingPolicy,
    ScalingRules,
)
from constructs import Construct


class Mlflow(Chart):
    """MLflow, as a release of the chart community-charts/mlflow ran it.

    Secrets that must exist:
      kubectl create secret generic mlflow-database --namespace mlflow \\
        --from-literal=username=mlflow \\
        --from-literal=password='<the password of the role>'
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, namespace="mlflow")

        postgres = ExistingSecretPostgres(
            self,
            "postgres",
            host="postgres",
            secret_name="mlflow-database",
            tls=PostgresTls.PREFER,
        )
        # autoscaling.metrics: No counterpart of a metric of the type Pods: use
        # Autoscaling.keda() with a trigger, or patch the HorizontalPodAutoscaler.
        MlflowServer(
            self,
            "mlflow",
            backend=postgres,
            resources=ContainerResources(
                cpu=CpuResources(request=Cpu.millis(500), limit=Cpu.units(2)),
                memory=MemoryResources(
                    request=Size.mebibytes(512),
                    limit=Size.mebibytes(700),
                ),
            ),
            autoscaling=Autoscaling.by_resources(
                max_replicas=4,
                cpu_percent=70,
                scale_down=ScalingRules(
                    stabilization_window=Duration.seconds(300),
                    policies=[
                        ScalingPolicy(
                            replicas=Replicas.percent(50),
                            duration=Duration.seconds(60),
                        ),
                    ],
                ),
            ),
            artifact_root=S3Artifacts(
                bucket="team-models",
                identity=AwsIdentity.from_role("arn:aws:iam::123456789012:role/mlflow"),
                access=ArtifactAccess.DIRECT,
            ),
            service=ServiceOptions(port=80),
            # As many as the memory limit has room for.
            workers=1,
        )


app = App()
Mlflow(app, "mlflow")
app.synth()
