import { App, Chart } from 'cdk8s';
import {
  AzureBlobArtifacts,
  AzureBlobCredentials,
  ExistingSecretPostgres,
  MlflowServer,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart bitnami/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-tracking-database --namespace mlflow \
 *     --from-literal=username=bn_mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-tracking-azure --namespace mlflow \
 *     --from-literal=AZURE_STORAGE_ACCESS_KEY='<the access key of the account>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'db.postgres.database.azure.com',
      database: 'bitnami_mlflow',
      secretName: 'mlflow-tracking-database',
    });
    new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      artifactRoot: new AzureBlobArtifacts({
        account: 'team',
        container: 'models',
        credentials: AzureBlobCredentials.fromAccessKey('mlflow-tracking-azure'),
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
