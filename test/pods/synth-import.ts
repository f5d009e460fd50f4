import { type Chart, Duration } from 'cdk8s';
import { type ExistingData, ExternalPostgres, SqliteImport, type SqliteRepair, SqliteSource } from 'cdk8s-mlflow';

/** An import of `mlflow.db` on the claim `old-mlflow`. */
interface ImportCase {
  readonly database?: string;
  readonly schema?: string;
  readonly artifactLocations?: { readonly oldPrefix: string; readonly newPrefix: string }[];
  readonly repairs?: SqliteRepair[];
  readonly existingData?: ExistingData;
  readonly dryRun?: boolean;
  readonly deadline?: number;
}

/** Adds the import of a case to its chart. */
export function addImport(chart: Chart, { deadline, database, schema, ...options }: ImportCase): void {
  new SqliteImport(chart, 'import', {
    ...options,
    backend: new ExternalPostgres(chart, 'postgres', {
      host: 'database',
      user: 'mlflow',
      password: 'a-password',
      database,
      schema,
    }),
    source: SqliteSource.fromClaim('old-mlflow', 'mlflow.db'),
    deadline: deadline === undefined ? undefined : Duration.seconds(deadline),
  });
}
