import { Chart, Size } from 'cdk8s';
import { CloudNativePostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** PostgreSQL by the CloudNativePG operator: three servers, failover and verified TLS. It needs the operator, nothing else. */
export class CloudNative extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new CloudNativePostgres(this, 'postgres', {
      storage: { size: Size.gibibytes(20) },
      walStorage: { size: Size.gibibytes(5) },
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
