import { App, Chart } from 'cdk8s';
import {
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowAuth,
  MlflowServer,
  PostgresTls,
  S3Artifacts,
  SecretKey,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart bitnami/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-tracking-database --namespace mlflow \
 *     --from-literal=username=bn_mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-tracking-login --namespace mlflow \
 *     --from-literal=passphrase='<any random text of 32 characters or more>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      database: 'bitnami_mlflow',
      secretName: 'mlflow-tracking-database',
      tls: PostgresTls.PREFER,
    });
    // tracking.auth.existingSecretUserKey: The administrator's name is no secret: set
    // `adminUsername` to what mlflow-admin has below user.
    new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'team-models',
        region: 'eu-west-1',
        identity: AwsIdentity.fromSecretName('s3-login', {
          accessKeyIdKey: 'id',
          secretAccessKeyKey: 'key',
        }),
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-tracking-login', 'passphrase') },
      auth: MlflowAuth.basic({
        adminPassword: SecretKey.fromSecretName('mlflow-admin', 'pass'),
        flaskSecretKey: SecretKey.fromSecretName('mlflow-admin', 'flask'),
        database: 'bitnami_mlflow_auth',
      }),
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
