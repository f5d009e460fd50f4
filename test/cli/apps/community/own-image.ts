import { App, Chart } from 'cdk8s';
import {
  ArtifactAccess,
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowServer,
  PostgresTls,
  S3Artifacts,
} from 'cdk8s-mlflow';
import { EnvValue, Secret } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-s3 --namespace mlflow \
 *     --from-literal=AWS_ACCESS_KEY_ID='<the id of the access key>' \
 *     --from-literal=AWS_SECRET_ACCESS_KEY='<the secret access key>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const teamSecret = Secret.fromSecretName(this, 'team-secret', 'team');
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    // image: The chart took a tag of its own, by its version: put it into the app instead of
    // `latest`.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      image: 'registry.example.com/mlflow:latest',
      artifactRoot: new S3Artifacts({
        bucket: 'models',
        endpoint: 'http://minio:9000',
        identity: AwsIdentity.fromSecretName('mlflow-s3'),
        access: ArtifactAccess.DIRECT,
      }),
      service: { port: 80 },
      extraEnvVars: { TEAM_TOKEN: EnvValue.fromSecretValue({ secret: teamSecret, key: 'token' }) },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
