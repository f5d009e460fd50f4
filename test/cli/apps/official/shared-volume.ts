import { App, Chart, Size } from 'cdk8s';
import {
  ExistingSecretPostgres,
  MlflowServer,
  Persistence,
  PostgresTls,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
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

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      replicas: 2,
      artifactRoot: new VolumeArtifacts({
        persistence: Persistence.newClaim({
          size: Size.gibibytes(2),
          accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY],
        }),
        defaultArtifactsDestination: 'artifacts',
      }),
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
