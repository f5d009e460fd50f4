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
      host: 'postgres.example.com',
      secretName: 'mlflow-database',
    });
    // backendStore.postgres: ${aws_rds_cluster.db.endpoint} is no host: put that of the database
    // into the app.
    // artifactRoot.s3: ${aws_s3_bucket.models.id} is no name of a bucket or a container: put it
    // into the app.
    // artifactRoot.s3: ${aws_iam_role.mlflow.arn} is a placeholder: put the identity of the pods
    // into the app.
    // serviceAccount.annotations.eks.amazonaws.com/role-arn, backendStore.postgres.host,
    // backendStore.postgres.password, artifactRoot.s3.bucket: They have a template of Helm or a
    // placeholder, which is text in the app: put its result there.
    // backendStore.postgres.port: They have a placeholder where a number, a name, a list or true or
    // false has to be: the app has the chart's default.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'mlflow',
        identity: AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow'),
        access: ArtifactAccess.DIRECT,
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
