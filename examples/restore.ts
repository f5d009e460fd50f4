import { Chart } from 'cdk8s';
import { BackupLocation, ExistingSecretPostgres, Persistence, PostgresRestore } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** A dump into an empty database. In a chart of its own, which is applied when it is needed. */
export class Restore extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    new PostgresRestore(this, 'restore', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        database: 'mlflow_restored',
        secretName: 'postgres-database-secret',
      }),
      source: BackupLocation.volume(Persistence.existingClaim('hourly-dumps')),
      // Without this line, the newest one.
      dump: 'hourly-20260102T030000Z-x7k2p',
    });
  }
}
