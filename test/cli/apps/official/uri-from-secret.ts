import { App, Chart } from 'cdk8s';
import {
  AzureBlobArtifacts,
  AzureBlobCredentials,
  ExistingSecretPostgres,
  MlflowServer,
} from 'cdk8s-mlflow';
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

    // The chart has the whole URI of the database in mlflow-db. The app has its host, port and
    // name, and a Secret with the keys username and password. Put the host of a PostgreSQL here.
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      secretName: 'mlflow-database',
    });
    // mlflow.registryStoreUri: Tracking and the model registry are in one database, the backend:
    // move the tables of the registry there first.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new AzureBlobArtifacts({
        account: 'team',
        container: 'models',
        prefix: 'prod',
        credentials: AzureBlobCredentials.fromAccessKey('azure', 'key'),
      }),
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
