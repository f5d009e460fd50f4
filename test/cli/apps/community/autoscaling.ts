import { App, Chart, Duration, Size } from 'cdk8s';
import {
  ArtifactAccess,
  Autoscaling,
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowServer,
  PostgresTls,
  S3Artifacts,
} from 'cdk8s-mlflow';
import { Cpu, Replicas } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    // autoscaling.metrics: No counterpart of a metric of the type Pods: use Autoscaling.keda() with
    // a trigger, or patch the HorizontalPodAutoscaler.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      resources: {
        cpu: { request: Cpu.millis(500), limit: Cpu.units(2) },
        memory: { request: Size.mebibytes(512), limit: Size.mebibytes(700) },
      },
      autoscaling: Autoscaling.byResources({
        maxReplicas: 4,
        cpuPercent: 70,
        scaleDown: {
          stabilizationWindow: Duration.seconds(300),
          policies: [{ replicas: Replicas.percent(50), duration: Duration.seconds(60) }],
        },
      }),
      artifactRoot: new S3Artifacts({
        bucket: 'team-models',
        identity: AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow'),
        access: ArtifactAccess.DIRECT,
      }),
      service: { port: 80 },
      // As many as the memory limit has room for.
      workers: 1,
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
