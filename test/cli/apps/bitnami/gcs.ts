import { App, Chart } from 'cdk8s';
import {
  ArtifactAccess,
  ExistingSecretPostgres,
  GcsArtifacts,
  GoogleIdentity,
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
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: '10.1.2.3',
      database: 'bitnami_mlflow',
      secretName: 'mlflow-tracking-database',
    });
    // externalGCS.googleCloudProject: Set GOOGLE_CLOUD_PROJECT in `extraEnvVars`, if the
    // credentials do not name it.
    new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      artifactRoot: new GcsArtifacts({
        bucket: 'team-models',
        identity: GoogleIdentity.fromSecretName('google', 'account.json'),
        access: ArtifactAccess.DIRECT,
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
