import { Chart, Size } from 'cdk8s';
import { CloudNativePostgres, DatabaseMove, ExistingSecretPostgres, MlflowServer, WorkingCopy } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** A database moves from Bitnami's chart to CloudNativePG, and the server waits. */
export class MoveToCloudNative extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const old = new ExistingSecretPostgres(this, 'old', {
      host: 'mlflow-postgresql',
      secretName: 'postgres-database-secret',
    });
    const backend = new CloudNativePostgres(this, 'cluster');
    new DatabaseMove(this, 'move', {
      source: old,
      target: backend,
      workingCopy: WorkingCopy.ephemeralVolume({ size: Size.gibibytes(20) }),
    });
    // When the Job is complete, take it out and the replicas up.
    new MlflowServer(this, 'mlflow', { backend, replicas: 0 });
  }
}
