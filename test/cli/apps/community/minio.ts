import { App, Chart } from 'cdk8s';
import {
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowServer,
  PostgresTls,
  S3Artifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-s3 --namespace mlflow \
 *     --from-literal=AWS_ACCESS_KEY_ID='<the id of the access key>' \
 *     --from-literal=AWS_SECRET_ACCESS_KEY='<the secret access key>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.databases.svc',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    // minio: The library makes no object store in the cluster: run MinIO on its own, keep its
    // volume (the chart would remove it), and give S3Artifacts its address as `endpoint`.
    // minio.mode, minio.persistence: The library makes no object store in the cluster: run MinIO on
    // its own, keep its volume (the chart would remove it), and give S3Artifacts its address as
    // `endpoint`.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'models',
        endpoint: 'http://mlflow-minio:9000',
        identity: AwsIdentity.fromSecretName('mlflow-s3'),
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
