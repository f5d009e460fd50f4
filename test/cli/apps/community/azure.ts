import { App, Chart } from 'cdk8s';
import {
  ArtifactAccess,
  AzureBlobArtifacts,
  AzureBlobCredentials,
  ExistingSecretPostgres,
  MlflowServer,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-azure --namespace mlflow \
 *     --from-literal=AZURE_STORAGE_CONNECTION_STRING='<the connection string of the account>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'db.postgres.database.azure.com',
      secretName: 'mlflow-database',
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new AzureBlobArtifacts({
        account: 'team',
        container: 'models',
        prefix: 'prod',
        credentials: AzureBlobCredentials.fromConnectionString('mlflow-azure'),
        access: ArtifactAccess.DIRECT,
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
