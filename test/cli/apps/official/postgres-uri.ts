import { App, Chart } from 'cdk8s';
import { AwsIdentity, ExistingSecretPostgres, MlflowServer, S3Artifacts } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart mlflow of the MLflow project ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow_user \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'db.example.com',
      port: 6432,
      database: 'tracking',
      secretName: 'mlflow-database',
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'team-models',
        prefix: 'mlflow',
        endpoint: 'http://minio.minio.svc:9000',
        ignoreTls: true,
        identity: AwsIdentity.fromSecretName('s3-login', {
          accessKeyIdKey: 'id',
          secretAccessKeyKey: 'key',
        }),
      }),
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
