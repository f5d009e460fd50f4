import { App, Chart } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer, VolumeArtifacts } from 'cdk8s-mlflow';
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

    // The chart kept its data in memory, where each restart lost it. Put the host of a PostgreSQL
    // here.
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      secretName: 'mlflow-database',
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
