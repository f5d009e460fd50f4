import { Chart } from 'cdk8s';
import { CloudNativePostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * Several MLflow servers, each with a database and a login of its own, on one cluster of CloudNativePG, whose acknowledged points
 * outlive the node of the primary. The Secrets exist, with the names of the owners:
 *
 *     kubectl create secret generic vision-login --type=kubernetes.io/basic-auth \
 *       --from-literal=username=vision --from-literal=password=your_secure_password
 *     kubectl label secret vision-login cnpg.io/reload=true
 */
export class CloudNativeDatabases extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new CloudNativePostgres(this, 'postgres', {
      maxConnections: 200,
      synchronousReplication: {},
      podMonitor: {},
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });
    new MlflowServer(this, 'mlflow-vision', {
      backend: postgres.addDatabase('vision', { secretName: 'vision-login' }),
    });
    new MlflowServer(this, 'mlflow-text', {
      backend: postgres.addDatabase('text', { secretName: 'text-login' }),
    });
  }
}
