import { App, Chart } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer, VolumeArtifacts } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart mlflow of the MLflow project ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username='<the role of MLflow>' \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'db.example.com',
      secretName: 'mlflow-database',
    });
    // externalSecrets.provider, externalSecrets.data: Make the login with `new ExternalSecret(this,
    // id, { store, keys })`: keys `username` and `password`, from a SecretStore of your own. Give
    // its `secretName` to the backend.
    // externalSecrets.template.data.db-uri: They have a template of Helm or a placeholder, which is
    // text in the app: put its result there.
    new MlflowServer(this, 'mlflow', { backend: postgres, artifactRoot: new VolumeArtifacts() });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
