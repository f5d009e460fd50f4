import { Chart, Size } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer, SqliteImport, SqliteSource, WorkingCopy } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** The guide's "Migration from SQLite": the runs of an old server move into PostgreSQL, and the new server waits. */
export class MigrationFromSqlite extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com',
      secretName: 'postgres-database-secret',
    });
    new SqliteImport(this, 'sqlite-import', {
      backend: postgres,
      source: SqliteSource.fromClaim('old-mlflow', 'mlflow.db'),
      artifactLocations: [{ oldPrefix: '/mlflow/mlruns', newPrefix: 'mlflow-artifacts:/' }],
      workingCopy: WorkingCopy.ephemeralVolume({ size: Size.gibibytes(10) }),
    });
    // When the Job is complete, take it out and the replicas up.
    new MlflowServer(this, 'mlflow', { backend: postgres, replicas: 0 });
  }
}
