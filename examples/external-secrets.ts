import { Chart } from 'cdk8s';
import {
  AwsIdentity,
  ExistingSecretPostgres,
  ExternalSecret,
  MlflowServer,
  S3Artifacts,
  SecretStoreReference,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Every secret from a store outside of the cluster, by the External Secrets Operator: no manifest holds one. */
export class ExternalSecrets extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const store = SecretStoreReference.fromClusterSecretStoreName('vault');
    const login = new ExternalSecret(this, 'postgres-login', {
      store,
      keys: {
        username: { key: 'mlflow/postgres', property: 'username' },
        password: { key: 'mlflow/postgres', property: 'password' },
      },
    });
    const bucket = new ExternalSecret(this, 'bucket-login', {
      store,
      keys: {
        AWS_ACCESS_KEY_ID: { key: 'mlflow/bucket', property: 'id' },
        AWS_SECRET_ACCESS_KEY: { key: 'mlflow/bucket', property: 'key' },
      },
    });
    new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: login.secretName,
      }),
      artifactRoot: new S3Artifacts({
        bucket: 'your-bucket',
        identity: AwsIdentity.fromSecretName(bucket.secretName),
      }),
    });
  }
}
