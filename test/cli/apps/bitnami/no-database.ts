import { App, Chart } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer, Persistence, VolumeArtifacts } from 'cdk8s-mlflow';
import { ServiceType } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart bitnami/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-tracking-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    // The chart kept runs in files on its volume, without a database. SqliteImport moves them into
    // PostgreSQL (docs/moving-in.md). Put the host of a PostgreSQL here.
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      secretName: 'mlflow-tracking-database',
    });
    new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts({ persistence: Persistence.none() }),
      service: { serviceType: ServiceType.NODE_PORT, port: 80, nodePort: 30500 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
