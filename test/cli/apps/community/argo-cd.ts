import { App, Chart } from 'cdk8s';
import {
  ArtifactAccess,
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowServer,
  S3Artifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.postgres',
      port: 5433,
      secretName: 'mlflow-database',
    });
    // spec.sources.1.helm.valueFiles: More values, which were not read: give their files, too,
    // before this one.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: '2026',
        endpoint: 'http://minio.minio:9000',
        identity: AwsIdentity.ambient(),
        access: ArtifactAccess.DIRECT,
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
