import { Chart, Cron, Duration } from 'cdk8s';
import { ExistingSecretPostgres, MlflowGarbageCollection, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** What was deleted in MLflow is deleted for good a month later, artifacts included. */
export class GarbageCollection extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
    });
    new MlflowGarbageCollection(this, 'mlflow-gc', {
      server,
      schedule: Cron.schedule({ minute: '30', hour: '3' }),
      timeZone: 'Europe/Berlin',
      olderThan: Duration.days(30),
    });
  }
}
