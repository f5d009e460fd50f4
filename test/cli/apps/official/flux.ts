import { App, Chart, Size } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer, Persistence, VolumeArtifacts } from 'cdk8s-mlflow';
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

    // The chart kept its data in SQLite. SqliteImport moves it into PostgreSQL (docs/moving-in.md).
    // Put the host of a PostgreSQL here.
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      secretName: 'mlflow-database',
    });
    // spec.valuesFrom: More values, which were not read: give their files, too, before this one.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts({
        persistence: Persistence.newClaim({ size: Size.gibibytes(1) }),
        defaultArtifactsDestination: 'artifacts',
      }),
      workers: 4,
      allowedHosts: ['*'],
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
