import { Chart } from 'cdk8s';
import {
  CloudSqlIdentity,
  CloudSqlIpType,
  CloudSqlLogin,
  CloudSqlPostgres,
  GcsArtifacts,
  GcsCredentials,
  MlflowServer,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Google Cloud without a password or a key: one account for the database and the artifacts, by workload identity. */
export class CloudSql extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const account = 'mlflow@your-project.iam.gserviceaccount.com';
    new MlflowServer(this, 'mlflow', {
      backend: new CloudSqlPostgres(this, 'postgres', {
        instanceConnectionName: 'your-project:europe-west1:mlflow',
        identity: CloudSqlIdentity.fromServiceAccount(account),
        login: CloudSqlLogin.iam('mlflow@your-project.iam'),
        ipType: CloudSqlIpType.PRIVATE,
        maxConnections: 200,
      }),
      artifactRoot: new GcsArtifacts({
        bucket: 'your-bucket',
        credentials: GcsCredentials.fromServiceAccount(account),
      }),
      replicas: 2,
    });
  }
}
