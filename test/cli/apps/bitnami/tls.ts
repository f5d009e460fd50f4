import { App, Chart, Size } from 'cdk8s';
import {
  AwsIdentity,
  BitnamiPasswords,
  BitnamiPostgres,
  FileSource,
  MlflowAuth,
  MlflowServer,
  Persistence,
  S3Artifacts,
  SecretKey,
  TlsCertificate,
} from 'cdk8s-mlflow';
import { ServiceType } from 'cdk8s-plus-28';
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
    // postgresql: Bitnami's free images get no more fixes since 2025: plan a move to an operator or
    // a managed database with DatabaseMove (docs/moving-in.md).
    // minio: The library makes no object store in the cluster. Keep the MinIO of the release (its
    // Deployment and its claim, under Helm or by itself): the app uses it at its address. Another
    // bucket is a matter of ArtifactRelocation. Its access key is in the Secret mlflow-minio.
    // networkPolicy: Set `isolation: { clients, ingressControllers }`: who may connect from outside
    // cannot be read from the values.
    new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'mlflow',
        endpoint: 'http://mlflow-minio',
        identity: AwsIdentity.fromSecretName('mlflow-minio', {
          accessKeyIdKey: 'root-user',
          secretAccessKeyKey: 'root-password',
        }),
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-tracking-login', 'passphrase') },
      auth: MlflowAuth.basic({
        adminUsername: 'user',
        adminPassword: SecretKey.fromSecretName('mlflow-tracking-login', 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName('mlflow-tracking-login', 'flask-key'),
        database: 'bitnami_mlflow_auth',
      }),
      certificate: new TlsCertificate(
        FileSource.fromSecret('server-tls', 'cert.pem'),
        FileSource.fromSecret('server-tls', 'key.pem'),
      ),
      service: {
        serviceType: ServiceType.LOAD_BALANCER,
        port: 443,
        loadBalancerSourceRanges: ['10.0.0.0/8'],
        annotations: { team: 'ml' },
      },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
