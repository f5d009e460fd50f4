import { App, Chart, Size } from 'cdk8s';
import {
  AwsIdentity,
  BitnamiPasswords,
  BitnamiPostgres,
  MlflowAuth,
  MlflowServer,
  Persistence,
  S3Artifacts,
  SecretKey,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart bitnami/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-postgresql-passwords --namespace mlflow \
 *     --from-literal=postgres-password='<the postgres-password of the database>' \
 *     --from-literal=password='<the password of the database>'
 *   kubectl create secret generic mlflow-tracking-login --namespace mlflow \
 *     --from-literal=admin-password='<the password of the administrator, 12 characters or more>' \
 *     --from-literal=flask-key='<any long random text>' \
 *     --from-literal=passphrase='<any random text of 32 characters or more>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new BitnamiPostgres(this, 'mlflow-postgresql', {
      passwords: BitnamiPasswords.fromSecretName('mlflow-postgresql-passwords'),
      username: 'bn_mlflow',
      database: 'bitnami_mlflow',
      persistence: Persistence.newClaim({ size: Size.gibibytes(8) }),
      initScripts: { 'create-auth-database.sql': 'CREATE DATABASE "bitnami_mlflow_auth";\n' },
      maxConnections: 150,
    });
    // image.registry: `ClusterSettings.of(this).apply({ imageRegistry:
    // ImageRegistry.mirror('mirror.example.com') })` takes all images from a mirror.
    // postgresql: Bitnami's free images get no more fixes since 2025: plan a move to an operator or
    // a managed database with DatabaseMove (docs/moving-in.md).
    new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'models',
        region: 'eu-central-1',
        identity: AwsIdentity.fromSecretName('s3-login', {
          accessKeyIdKey: 'user',
          secretAccessKeyKey: 'password',
        }),
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-tracking-login', 'passphrase') },
      auth: MlflowAuth.basic({
        adminUsername: 'user',
        adminPassword: SecretKey.fromSecretName('mlflow-tracking-login', 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName('mlflow-tracking-login', 'flask-key'),
        database: 'bitnami_mlflow_auth',
      }),
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
