import { App, Chart, Duration } from 'cdk8s';
import {
  ExistingSecretPostgres,
  MlflowServer,
  PoolingProfile,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow_user \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'db.example.eu-central-1.rds.amazonaws.com',
      port: 5433,
      database: 'tracking',
      secretName: 'mlflow-database',
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      service: { port: 80 },
      pooling: new PoolingProfile({
        poolSize: 10,
        maxOverflow: 20,
        recycle: Duration.seconds(3600),
      }),
      extraEnvVars: { MLFLOW_HTTP_REQUEST_TIMEOUT: EnvValue.fromValue('120') },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
