import { App, Chart, Cron, Duration, Size } from 'cdk8s';
import {
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowGarbageCollection,
  MlflowServer,
  PostgresTls,
  S3Artifacts,
} from 'cdk8s-mlflow';
import { Cpu } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart mlflow of the MLflow project ran it.
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
    const server = new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'team-models',
        identity: AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow'),
      }),
      workers: 3,
      workspaces: true,
    });
    new MlflowGarbageCollection(this, 'mlflow-gc', {
      server,
      schedule: new Cron({ minute: '0', hour: '2', day: '*', month: '*', weekDay: '0' }),
      olderThan: Duration.hours(180),
      resources: {
        cpu: { request: Cpu.millis(100) },
        memory: { request: Size.mebibytes(256), limit: Size.mebibytes(512) },
      },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
