import {
  ArtifactRelocation,
  BackupLocation,
  DatabaseMigration,
  type IArtifactStore,
  type IPostgresBackend,
  Persistence,
  PostgresBackup,
  PostgresExporter,
  PostgresRestore,
  FileStoreImport,
  FileStoreSource,
  MySqlImport,
  MySqlSource,
  SqliteImport,
  SqliteSource,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { type ConstructedWith, RELOCATED } from '../contracts/registered';

import { closed, edges } from './edges';
import { type Manifest, server } from './synth';

/** Something that connects to a backend. */
export interface Connecting {
  /** Makes it, isolated where it can be, under the id `it`. */
  make(scope: Construct, backend: IPostgresBackend, artifactRoot?: IArtifactStore): void;
  /** The containers of its pod that connect, in order. */
  readonly connected: string[];
  /** Those that do not, after the others. */
  readonly others?: string[];
  readonly kind: 'Deployment' | 'Job' | 'CronJob';
  /** Name of its NetworkPolicy. */
  readonly policy: string;
  /** Whether that leaves the way out open. */
  readonly isOpen?: boolean;
}

const isolation = {};

/** What needs a password of its backend, so that not any will do. */
type NeedsPassword = 'DatabaseBootstrap' | 'PgBouncer';

/** All that connects to any backend, by name: each exported class that takes one, and the Job of a server. */
export const CONNECTING: Record<
  Exclude<ConstructedWith<{ readonly backend: IPostgresBackend }>, NeedsPassword> | 'migration Job',
  Connecting
> = {
  MlflowServer: {
    make: (scope, backend, artifactRoot) => server(scope, { backend, artifactRoot, isolation }, 'it'),
    connected: ['init-mlflow', 'mlflow'],
    kind: 'Deployment',
    policy: 'it',
  },
  'migration Job': {
    make: (scope, backend) => server(scope, { backend, databaseMigration: DatabaseMigration.job(), isolation }, 'it'),
    connected: ['wait-for-database', 'init-mlflow'],
    kind: 'Job',
    policy: 'it-migration',
  },
  PostgresBackup: {
    make: (scope, backend) => new PostgresBackup(scope, 'it', { backend, target: BackupLocation.volume(), isolation }),
    connected: ['wait-for-database', 'dump'],
    others: ['store'],
    kind: 'CronJob',
    policy: 'it',
  },
  PostgresRestore: {
    make: (scope, backend) => {
      const source = BackupLocation.volume(Persistence.existingClaim('dumps'));
      new PostgresRestore(scope, 'it', { backend, source, isolation });
    },
    connected: ['wait-for-database', 'restore'],
    others: ['fetch'],
    kind: 'Job',
    policy: 'it',
  },
  FileStoreImport: {
    make: (scope, backend) =>
      new FileStoreImport(scope, 'it', { backend, source: FileStoreSource.fromClaim('old'), isolation }),
    connected: ['wait-for-database', 'import-file-store'],
    kind: 'Job',
    policy: 'it',
  },
  SqliteImport: {
    make: (scope, backend) =>
      new SqliteImport(scope, 'it', { backend, source: SqliteSource.fromClaim('old', 'mlflow.db'), isolation }),
    connected: ['wait-for-database', 'import-sqlite'],
    kind: 'Job',
    policy: 'it',
  },
  MySqlImport: {
    make: (scope, backend) =>
      new MySqlImport(scope, 'it', {
        backend,
        source: new MySqlSource({ host: 'mysql', secretName: 'mysql' }),
        isolation,
      }),
    connected: ['wait-for-database', 'import-mysql'],
    kind: 'Job',
    policy: 'it',
  },
  ArtifactRelocation: {
    make: (scope, backend) => new ArtifactRelocation(scope, 'it', { backend, ...RELOCATED, isolation }),
    connected: ['wait-for-database', 'relocate-artifacts'],
    others: ['read-artifacts'],
    kind: 'Job',
    policy: 'it',
  },
  PostgresExporter: {
    make: (scope, backend) => new PostgresExporter(scope, 'it', { backend }),
    connected: ['postgres-exporter'],
    kind: 'Deployment',
    policy: 'it',
    isOpen: true,
  },
};

/** The pod of what was made. */
export function podThatConnects(manifests: Manifest[], { kind }: Connecting): Manifest {
  const [{ spec }] = manifests.filter((m) => m.kind === kind && m.metadata.name.startsWith('it'));
  return (spec.jobTemplate?.spec ?? spec).template.spec;
}

/** The ways out of its pod, or undefined if all are open. */
export function waysOut(manifests: Manifest[], { policy, isOpen }: Connecting): string[] | undefined {
  expect(closed(manifests, policy).includes('Egress')).toBe(isOpen !== true);
  return isOpen === true ? undefined : edges(manifests, policy).filter((edge) => edge.startsWith('out'));
}
