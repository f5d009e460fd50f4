import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import {
  ExistingSecretPostgres,
  MlflowServer,
  Persistence,
  UpgradeStrategy,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
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

    // The chart kept its data in SQLite (/mlflow/data/mlflow.db). SqliteImport moves it into
    // PostgreSQL (docs/moving-in.md). Put the host of a PostgreSQL here.
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      secretName: 'mlflow-database',
    });
    const server = new MlflowServer(this, 'mlflow', {
      backend: postgres,
      upgradeStrategy: UpgradeStrategy.RECREATE,
      artifactRoot: new VolumeArtifacts({
        persistence: Persistence.existingClaim('mlflow-data'),
        defaultArtifactsDestination: 'artifacts',
      }),
      service: { port: 80 },
    });
    ApiObject.of(server.deployment).addJsonPatch(
      JsonPatch.add('/spec/template/spec/volumes/-', {
        name: 'config',
        configMap: { name: 'extra' },
      }),
      JsonPatch.add('/spec/template/spec/containers/0/volumeMounts/-', {
        name: 'config',
        mountPath: '/etc/extra',
        readOnly: true,
      }),
    );
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
