import { Chart } from 'cdk8s';
import {
  CloudSqlIpType,
  CloudSqlLogin,
  CloudSqlPostgres,
  GcsArtifacts,
  GoogleIdentity,
  MlflowServer,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Google Cloud without a password or a key: one account for the database and the artifacts, by workload identity. */
export class CloudSql extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const identity = GoogleIdentity.fromServiceAccount('mlflow@your-project.iam.gserviceaccount.com');
    new MlflowServer(this, 'mlflow', {
      backend: new CloudSqlPostgres(this, 'postgres', {
        instanceConnectionName: 'your-project:europe-west1:mlflow',
        identity,
        login: CloudSqlLogin.iam('mlflow@your-project.iam'),
        ipType: CloudSqlIpType.PRIVATE,
        maxConnections: 200,
      }),
      artifactRoot: new GcsArtifacts({ bucket: 'your-bucket', identity }),
      replicas: 2,
    });
  }
}
