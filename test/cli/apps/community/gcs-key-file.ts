import { App, Chart } from 'cdk8s';
import { ExistingSecretPostgres, GcsArtifacts, GoogleIdentity, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: '10.1.2.3',
      secretName: 'mlflow-database',
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new GcsArtifacts({
        bucket: 'team-models',
        identity: GoogleIdentity.fromSecretName('google-account', 'account.json'),
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
