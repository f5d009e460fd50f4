// Backups and restores for the tests, on the database that the servers of synth.ts use.
import { type Chart, Duration } from 'cdk8s';
import {
  AwsIdentity,
  BackupLocation,
  ClusterSettings,
  ExternalPostgres,
  FileSource,
  type IPostgresBackend,
  Persistence,
  PostgresBackup,
  PostgresRestore,
  PostgresTls,
  S3Addressing,
} from 'cdk8s-mlflow';

import { rds, type RdsCase } from './synth-rds';

/** What a test can ask for; what it leaves out is the library's default. */
interface BackupCase {
  readonly password?: string;
  readonly database?: string;
  readonly schema?: string;
  /** With the CA of the ConfigMap `postgres-ca`. */
  readonly verifyTls?: boolean;
  /** Verified TLS with the CAs of the system, which has that of the ConfigMap `cluster-ca`. */
  readonly trustedCa?: boolean;
  /** An endpoint of RDS instead. */
  readonly rds?: RdsCase;
  /** A bucket `dumps` with the login in the Secret `s3`, instead of the volume. */
  readonly endpoint?: string;
  readonly keep?: number;
  readonly maxAgeSeconds?: number;
  readonly clientImage?: string;
  readonly dump?: string;
}

function backendOf(chart: Chart, options: BackupCase): IPostgresBackend {
  const { password, database, schema, verifyTls, trustedCa } = options;
  if (options.rds !== undefined) {
    return rds(chart, options.rds);
  }
  if (trustedCa === true) {
    ClusterSettings.of(chart).apply({ trustedCa: FileSource.fromConfigMap('cluster-ca', 'ca.crt') });
  }
  return new ExternalPostgres(chart, 'backup-postgres', {
    host: 'database',
    user: 'mlflow',
    password: password ?? 'a-password',
    database,
    schema,
    tls:
      verifyTls === true
        ? PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('postgres-ca', 'ca.crt') })
        : trustedCa === true
          ? PostgresTls.verifyFull()
          : undefined,
  });
}

function locationOf({ endpoint }: BackupCase, persistence: Persistence): BackupLocation {
  return endpoint === undefined
    ? BackupLocation.volume(persistence)
    : BackupLocation.s3({
        bucket: 'dumps',
        prefix: 'team/mlflow',
        endpoint,
        addressing: S3Addressing.PATH,
        region: 'us-east-1',
        identity: AwsIdentity.fromSecretName('s3'),
      });
}

export function addBackup(chart: Chart, options: BackupCase): void {
  const { keep, maxAgeSeconds, clientImage } = options;
  new PostgresBackup(chart, 'backup', {
    backend: backendOf(chart, options),
    target: locationOf(options, Persistence.newClaim()),
    retention: { count: keep, maxAge: maxAgeSeconds === undefined ? undefined : Duration.seconds(maxAgeSeconds) },
    clientImage,
  });
}

export function addRestore(chart: Chart, options: BackupCase): void {
  new PostgresRestore(chart, 'restore', {
    backend: backendOf(chart, options),
    source: locationOf(options, Persistence.existingClaim('backup-dumps')),
    clientImage: options.clientImage,
    dump: options.dump,
  });
}
