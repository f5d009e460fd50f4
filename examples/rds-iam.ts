import { Chart } from 'cdk8s';
import { AwsIdentity, FileSource, MlflowServer, PostgresTls, RdsPostgres, S3Artifacts } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** AWS without a password or a key: one role for the database and the artifacts, by IAM. */
export class RdsIam extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const identity = AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow');
    new MlflowServer(this, 'mlflow', {
      backend: new RdsPostgres(this, 'postgres', {
        host: 'mlflow.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
        user: 'mlflow',
        identity,
        tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('rds-ca', 'eu-west-1-bundle.pem') }),
        maxConnections: 200,
      }),
      artifactRoot: new S3Artifacts({ bucket: 'your-bucket', region: 'eu-west-1', identity }),
      replicas: 2,
    });
  }
}
