// Prints the YAML of one chart, for the tests to run: node -r tsx/cjs test/pods/synth.ts example external
//                                                     node -r tsx/cjs test/pods/synth.ts server '{"replicas": 3}'
//                                                     node -r tsx/cjs test/pods/synth.ts import '{"dryRun": true}'
// Without arguments, it answers each line of JSON on stdin, a list of the two, with a line: {"yaml": …} or {"error": …}.
import { createInterface } from 'node:readline';

import { App, Chart, Cron, Duration, Yaml } from 'cdk8s';
import {
  ArtifactAccess,
  ArtifactTransfers,
  AwsIdentity,
  BackupLocation,
  CloudSqlLogin,
  CloudSqlPostgres,
  ClusterSettings,
  DatabaseBootstrap,
  DatabaseConnectionCheck,
  DatabaseMigration,
  ExternalPostgres,
  FileSource,
  GoogleIdentity,
  HttpProxy,
  type IArtifactStore,
  type IPostgresBackend,
  LogFormat,
  MigrationRollback,
  MlflowGarbageCollection,
  MlflowServer,
  MlflowTraceArchival,
  type MlflowServerProps,
  Persistence,
  PgBouncer,
  type PgBouncerProps,
  PoolingProfile,
  PostgresCredentials,
  PostgresDatabase,
  PostgresTls,
  ReadinessCheck,
  S3Addressing,
  S3Artifacts,
  ScriptFormat,
  SecretKey,
  TlsCertificate,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { EnvValue, PersistentVolumeAccessMode } from 'cdk8s-plus-28';

import { addExamples } from '../../examples/all';

import { addBackup, addRestore } from './synth-backup';
import { authOf, type AuthCase } from './synth-auth';
import { addImport } from './synth-import';
import { addMove, addRelocation } from './synth-moves';
import { addObjects, type ObjectsCase } from './synth-objects';
import { rds, type RdsCase } from './synth-rds';

/** Props of the server that a test can set as they are. */
const PLAIN = [
  'aiGateway',
  'allowedHosts',
  'corsAllowedOrigins',
  'directApi',
  'extraArgs',
  'ingress',
  'metrics',
  'replicas',
  'staticPrefix',
  'threads',
  'workspaces',
] as const satisfies (keyof MlflowServerProps)[];

/** What a test can ask for; what it leaves out is the library's default. */
interface ServerCase extends Pick<MlflowServerProps, (typeof PLAIN)[number]>, AuthCase {
  readonly host?: string;
  readonly failoverHosts?: string[];
  /** Of a read replica, which the server then reads from. */
  readonly readHost?: string;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly schema?: string;
  /** An instance of Cloud SQL instead, with the key file in the Secret `google`. */
  readonly cloudSql?: CloudSqlCase;
  /** An endpoint of RDS instead, as the role `mlflow`. */
  readonly rds?: RdsCase;
  /** `systemCa`: verified with the CAs of the system. */
  readonly tls?: 'disable' | 'prefer' | 'require' | 'verifyCa' | 'verifyFull' | 'systemCa';
  readonly clientCertificate?: boolean;
  /** `userTimeout` of the connection, in seconds. */
  readonly userTimeout?: number;
  readonly check?: 'off' | number;
  /** `backup`: a Job that dumps the database first, with a MigrationRollback `rollback`. */
  readonly migration?: 'job' | 'backup' | 'off';
  readonly migrationDeadline?: number;
  readonly readiness?: 'database';
  readonly workers?: number;
  readonly maxOverflow?: number;
  /** `none`: SQLAlchemy's own sizes. `guide`: those of the guide's "High Availability Setup". */
  readonly pooling?: keyof typeof POOLINGS;
  /** A bucket `models` with the login in the Secret `s3`. */
  readonly s3?: {
    readonly endpoint: string;
    readonly direct?: boolean;
    readonly signedUrlLifetime?: number;
    readonly transfers?: 'signedUrlsOnly' | 'throughServer';
  };
  /** Name of the Secret with the server's own certificate. */
  readonly certificate?: string;
  readonly extraEnvVars?: Record<string, string>;
  /** On OpenShift, with JSON logs and the CAs of the ConfigMap `cluster-ca`. */
  readonly openShift?: boolean;
  /** Whether scripts are in a zip. */
  readonly compact?: boolean;
  /** URL of the HTTP proxy to the internet. */
  readonly httpProxy?: string;
  /** A garbage collection `mlflow-gc` of what was deleted so many seconds ago. */
  readonly collectOlderThan?: number;
  /** Traces that are as many minutes old are moved by `mlflow-archival`. */
  readonly archiveOlderThan?: number;
  /** A bootstrap `bootstrap` by the administrator of the Secret `admin`, for which the server waits. */
  readonly bootstrap?: boolean;
  /** Names of further databases for it, and of their owners: each has a Secret of its name. */
  readonly furtherDatabases?: readonly string[];
  /** Whether the server has the key `webhook-key` of the Secret `auth`, with `basicAuth`. */
  readonly webhookKey?: boolean;
  /** Objects of MLflow, which a Job `objects` makes. */
  readonly objects?: ObjectsCase;
  /** A PgBouncer `pgbouncer` between the server and its database. */
  readonly pooled?: Pick<PgBouncerProps, 'authQuery' | 'defaultPoolSize' | 'maxDatabaseConnections' | 'poolMode'>;
}

interface CloudSqlCase {
  readonly instance: string;
  /** The account, without a password; otherwise the login is in the Secret `login`. */
  readonly iamUser?: string;
  /** Where Google's API is. */
  readonly api: string;
}

const POOLINGS = {
  highAvailability: PoolingProfile.HIGH_AVAILABILITY,
  none: new PoolingProfile(),
  guide: new PoolingProfile({ poolSize: 20, maxOverflow: 30 }),
};

function tlsOf(options: ServerCase): PostgresTls | undefined {
  const ca = FileSource.fromConfigMap('postgres-ca', 'ca.crt');
  const verified = {
    ca,
    clientCertificate:
      options.clientCertificate === true ? TlsCertificate.fromSecretName('postgres-client') : undefined,
  };
  switch (options.tls) {
    case 'disable':
      return PostgresTls.DISABLE;
    case 'prefer':
      return PostgresTls.PREFER;
    case 'require':
      return PostgresTls.REQUIRE;
    case 'verifyCa':
      return PostgresTls.verifyCa(verified);
    case 'verifyFull':
      return PostgresTls.verifyFull(verified);
    case 'systemCa':
      return PostgresTls.verifyFull();
    case undefined:
      return undefined;
  }
}

function migrationOf(options: ServerCase): DatabaseMigration {
  const deadline = options.migrationDeadline === undefined ? undefined : Duration.seconds(options.migrationDeadline);
  switch (options.migration) {
    case 'job':
      return DatabaseMigration.job({ deadline });
    case 'backup':
      return DatabaseMigration.job({ deadline, backupTo: BackupLocation.volume() });
    case 'off':
      return DatabaseMigration.off();
    case undefined:
      return DatabaseMigration.initContainer({ deadline });
  }
}

function checkOf({ check, bootstrap }: ServerCase): DatabaseConnectionCheck | undefined {
  if (check === 'off') {
    return DatabaseConnectionCheck.off();
  }
  if (bootstrap === true) {
    return DatabaseConnectionCheck.initContainer({ databaseMayAppear: true });
  }
  return check === undefined ? undefined : DatabaseConnectionCheck.initContainer({ deadline: Duration.seconds(check) });
}

function poolingOf({ pooling, maxOverflow }: ServerCase): PoolingProfile | undefined {
  if (pooling !== undefined) {
    return POOLINGS[pooling];
  }
  return maxOverflow === undefined ? undefined : PoolingProfile.STANDARD.extend({ maxOverflow });
}

function artifactsOf({ s3 }: ServerCase): IArtifactStore {
  if (s3 !== undefined) {
    return new S3Artifacts({
      bucket: 'models',
      prefix: 'team',
      endpoint: s3.endpoint,
      addressing: S3Addressing.PATH,
      region: 'us-east-1',
      identity: AwsIdentity.fromSecretName('s3'),
      signedUrlLifetime: s3.signedUrlLifetime === undefined ? undefined : Duration.seconds(s3.signedUrlLifetime),
      transfers: s3.transfers && ArtifactTransfers[s3.transfers](),
      access: s3.direct === true ? ArtifactAccess.DIRECT : ArtifactAccess.PROXIED,
    });
  }
  const accessModes = [PersistentVolumeAccessMode.READ_WRITE_MANY];
  return new VolumeArtifacts({ persistence: Persistence.newClaim({ accessModes }) });
}

function cloudSql(chart: Chart, { instance, iamUser, api }: CloudSqlCase): IPostgresBackend {
  return new CloudSqlPostgres(chart, 'postgres', {
    instanceConnectionName: instance,
    identity: GoogleIdentity.fromSecretName('google'),
    login:
      iamUser === undefined
        ? CloudSqlLogin.password(PostgresCredentials.fromSecretName('login'))
        : CloudSqlLogin.iam(iamUser),
    extraArgs: [`--sqladmin-api-endpoint=${api}`],
  });
}

function external(chart: Chart, options: ServerCase): IPostgresBackend {
  const { host = 'database', user = 'mlflow', password = 'a-password', database } = options;
  return new ExternalPostgres(chart, 'postgres', {
    host,
    user,
    password,
    database,
    schema: options.schema,
    failoverHosts: options.failoverHosts,
    readHost: options.readHost,
    tls: tlsOf(options),
    tcpKeepalive:
      options.userTimeout === undefined ? undefined : { userTimeout: Duration.seconds(options.userTimeout) },
  });
}

function backendOf(chart: Chart, options: ServerCase): IPostgresBackend {
  if (options.rds !== undefined) {
    return rds(chart, options.rds);
  }
  return options.cloudSql === undefined ? external(chart, options) : cloudSql(chart, options.cloudSql);
}

function addServer(chart: Chart, options: ServerCase): void {
  if (options.openShift === true) {
    const trustedCa = FileSource.fromConfigMap('cluster-ca', 'ca.crt');
    ClusterSettings.of(chart).apply({ ...ClusterSettings.openShift(), trustedCa, logFormat: LogFormat.JSON });
  }
  if (options.compact === true) {
    ClusterSettings.of(chart).apply({ scriptFormat: ScriptFormat.COMPACT });
  }
  if (options.httpProxy !== undefined) {
    ClusterSettings.of(chart).apply({ httpProxy: HttpProxy.at(options.httpProxy) });
  }
  const backend = backendOf(chart, options);
  const server = new MlflowServer(chart, 'mlflow', {
    ...Object.fromEntries(PLAIN.map((name) => [name, options[name]])),
    backend: options.pooled === undefined ? backend : new PgBouncer(chart, 'pgbouncer', { backend, ...options.pooled }),
    databaseConnectionCheck: checkOf(options),
    databaseMigration: migrationOf(options),
    readinessCheck: options.readiness === 'database' ? ReadinessCheck.DATABASE : undefined,
    workers: options.workers ?? 1,
    pooling: poolingOf(options),
    readFromReplica: (options.readHost ?? options.rds?.readHost) !== undefined,
    artifactRoot: artifactsOf(options),
    certificate: options.certificate === undefined ? undefined : TlsCertificate.fromSecretName(options.certificate),
    auth: authOf(options),
    encryption: authOf(options) && {
      passphrase: SecretKey.fromSecretName('auth', 'passphrase'),
      webhookKey: options.webhookKey ? SecretKey.fromSecretName('auth', 'webhook-key') : undefined,
    },
    traceArchival:
      options.archiveOlderThan === undefined ? undefined : { retention: Duration.minutes(options.archiveOlderThan) },
    extraEnvVars:
      options.extraEnvVars &&
      Object.fromEntries(
        Object.entries(options.extraEnvVars).map(([name, value]) => [name, EnvValue.fromValue(value)]),
      ),
  });
  if (options.objects !== undefined) {
    addObjects(chart, server, options.objects);
  }
  if (options.bootstrap === true) {
    const admin = PostgresCredentials.fromSecretName('admin');
    const furtherBackends = options.furtherDatabases?.map((database) => {
      const credentials = PostgresCredentials.fromSecretName(database);
      return new PostgresDatabase(chart, database, { server: backend, database, schema: 'tracking', credentials });
    });
    new DatabaseBootstrap(chart, 'bootstrap', { backend, furtherBackends, admin, deadline: Duration.seconds(10) });
  }
  if (options.migration === 'backup') {
    new MigrationRollback(chart, 'rollback', { server });
  }
  if (options.archiveOlderThan !== undefined) {
    new MlflowTraceArchival(chart, 'mlflow-archival', { server, schedule: Cron.daily() });
  }
  if (options.collectOlderThan !== undefined) {
    const olderThan = Duration.seconds(options.collectOlderThan);
    new MlflowGarbageCollection(chart, 'mlflow-gc', { server, schedule: Cron.daily(), olderThan });
  }
}

const unread = new Set<string>();

/** The options, which are noted as unread until somebody asks for them: a name that is none must not pass for a default. */
function watched(value: object, path = ''): object {
  const copy = {};
  for (const [key, each] of Object.entries(value) as [string, unknown][]) {
    const name = `${path}${key}`;
    const child = typeof each === 'object' && each?.constructor === Object ? watched(each, `${name}.`) : each;
    unread.add(name);
    Object.defineProperty(copy, key, { enumerable: true, get: () => (unread.delete(name), child) });
  }
  return copy;
}

const CASES: Record<string, (chart: Chart, options: object) => void> = {
  server: addServer,
  import: addImport,
  relocation: addRelocation,
  move: addMove,
  backup: addBackup,
  restore: addRestore,
};

function synthesize(kind: string, argument: string): string {
  unread.clear();
  const app = new App();
  if (kind === 'example') {
    addExamples(app);
  } else {
    CASES[kind]?.(new Chart(app, 'case'), watched(JSON.parse(argument) as object));
  }
  const charts = app.charts.filter(({ node }) => kind !== 'example' || node.id === argument);
  if (charts.length !== 1 || unread.size > 0) {
    throw new Error(
      `There is no ${kind} ${argument}. ${[...unread].map((name) => `Nothing reads ${name}.`).join(' ')}`,
    );
  }
  return Yaml.stringify(...charts.flatMap((chart) => chart.toJson() as unknown[]));
}

function answer(line: string): { readonly yaml: string } | { readonly error: string } {
  try {
    return { yaml: synthesize(...(JSON.parse(line) as [string, string])) };
  } catch (error) {
    return { error: String((error as Error).stack) };
  }
}

const [, , kind, argument = ''] = process.argv;
if (kind === undefined) {
  createInterface({ input: process.stdin }).on('line', (line) => {
    process.stdout.write(`${JSON.stringify(answer(line))}\n`);
  });
} else {
  process.stdout.write(synthesize(kind, argument));
}
