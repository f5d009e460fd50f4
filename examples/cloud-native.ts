import { Chart, Size } from 'cdk8s';
import { CloudNativePostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** PostgreSQL by the CloudNativePG operator: three servers, failover, verified TLS, and backups with its plugin. */
export class CloudNative extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new CloudNativePostgres(this, 'postgres', {
      storage: { size: Size.gibibytes(20) },
      walStorage: { size: Size.gibibytes(5) },
      // The ObjectStore `backups` says where to: a custom resource of the plugin.
      plugins: [
        {
          name: 'barman-cloud.cloudnative-pg.io',
          isWalArchiver: true,
          parameters: { barmanObjectName: 'backups' },
        },
      ],
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
