import { App, Chart, Size } from 'cdk8s';
import {
  ExistingSecretPostgres,
  MlflowAuth,
  MlflowServer,
  Persistence,
  SecretKey,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart bitnami/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-tracking-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-tracking-login --namespace mlflow \
 *     --from-literal=admin-password='<the password of the administrator, 12 characters or more>' \
 *     --from-literal=flask-key='<any long random text>' \
 *     --from-literal=passphrase='<any random text of 32 characters or more>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'db.example.com',
      secretName: 'mlflow-tracking-database',
    });
    new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts({
        persistence: Persistence.newClaim({ size: Size.gibibytes(20), storageClassName: 'fast' }),
        defaultArtifactsDestination: 'mlartifacts',
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-tracking-login', 'passphrase') },
      auth: MlflowAuth.basic({
        adminUsername: 'user',
        adminPassword: SecretKey.fromSecretName('mlflow-tracking-login', 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName('mlflow-tracking-login', 'flask-key'),
        database: 'mlflow_auth',
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
