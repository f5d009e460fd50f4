import { App, Chart } from 'cdk8s';
import {
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowServer,
  PostgresTls,
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
      host: 'postgres',
      secretName: 'postgres-database-secret',
      usernameKey: 'user',
      passwordKey: 'pass',
      tls: PostgresTls.PREFER,
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'team-models',
        prefix: 'mlflow',
        region: 'eu-central-1',
        uploadExtraArgs: { ServerSideEncryption: 'aws:kms' },
        identity: AwsIdentity.fromSecretName('s3-login', {
          accessKeyIdKey: 'id',
          secretAccessKeyKey: 'key',
        }),
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
