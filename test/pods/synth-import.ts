import { type Chart, Duration } from 'cdk8s';
import {
  type ExistingData,
  ExternalPostgres,
  FileSource,
  FileStoreImport,
  type FileStoreRepair,
  FileStoreSource,
  MySqlImport,
  type MySqlRepair,
  MySqlSource,
  MySqlTls,
  SqliteImport,
  type SqliteRepair,
  SqliteSource,
} from 'cdk8s-mlflow';

/** An import of `mlflow.db` or `mlruns` on the claim `old-mlflow`, or of the MySQL server `old-mysql`. */
interface ImportCase {
  readonly from?: 'sqlite' | 'mysql' | 'file-store';
  readonly database?: string;
  readonly schema?: string;
  readonly artifactLocations?: { readonly oldPrefix: string; readonly newPrefix: string }[];
  readonly repairs?: string[];
  readonly existingData?: ExistingData;
  readonly dryRun?: boolean;
  readonly deadline?: number;
  /** Of the MySQL server, whose login is in the Secret `old-mysql`. */
  readonly mysql?: { readonly database?: string; readonly host?: string; readonly tls?: 'disable' | 'require' };
}

/** Adds the import of a case to its chart. */
export function addImport(
  chart: Chart,
  { from, deadline, database, schema, repairs, mysql, ...options }: ImportCase,
): void {
  const props = {
    ...options,
    backend: new ExternalPostgres(chart, 'postgres', {
      host: 'database',
      user: 'mlflow',
      password: 'a-password',
      database,
      schema,
    }),
    deadline: deadline === undefined ? undefined : Duration.seconds(deadline),
  };
  if (from === 'mysql') {
    const verified = MySqlTls.verifyFull({ ca: FileSource.fromConfigMap('old-mysql-ca', 'ca.crt') });
    const tls = { disable: MySqlTls.DISABLE, require: MySqlTls.REQUIRE, verify: verified }[mysql?.tls ?? 'verify'];
    const source = new MySqlSource({ host: 'old-mysql', secretName: 'old-mysql', ...mysql, tls });
    new MySqlImport(chart, 'import', { ...props, source, repairs: repairs as MySqlRepair[] | undefined });
  } else if (from === 'file-store') {
    const source = FileStoreSource.fromClaim('old-mlflow');
    new FileStoreImport(chart, 'import', { ...props, source, repairs: repairs as FileStoreRepair[] | undefined });
  } else {
    const source = SqliteSource.fromClaim('old-mlflow', 'mlflow.db');
    new SqliteImport(chart, 'import', { ...props, source, repairs: repairs as SqliteRepair[] | undefined });
  }
}
