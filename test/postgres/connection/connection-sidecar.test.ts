import { Cron, Duration, Testing } from 'cdk8s';
import {
  AwsIdentity,
  BackupLocation,
  CloudSqlLogin,
  CloudSqlPostgres,
  DatabaseBootstrap,
  DatabaseMigration,
  GcsArtifacts,
  GoogleIdentity,
  type IPostgresBackend,
  MlflowGarbageCollection,
  type MlflowServer,
  PgBouncer,
  PostgresBackup,
  PostgresCredentials,
  PostgresExporter,
  SecretKey,
} from 'cdk8s-mlflow';
import { ServiceAccount } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { CONNECTING, type Connecting, podThatConnects, waysOut } from '../../support/connecting';
import { edges } from '../../support/edges';
import { chart, containerOf, env, type Manifest, only, server } from '../../support/synth';

const ACCOUNT = 'mlflow@shop.iam.gserviceaccount.com';
const ANNOTATIONS = { 'iam.gke.io/gcp-service-account': ACCOUNT };

function cloudSql(scope: Construct, login: CloudSqlLogin, identity?: GoogleIdentity): CloudSqlPostgres {
  const instanceConnectionName = 'shop:europe-west1:mlflow';
  return new CloudSqlPostgres(scope, 'postgres', {
    instanceConnectionName,
    login,
    identity: identity ?? GoogleIdentity.fromServiceAccount(ACCOUNT),
  });
}

const withoutPassword = (scope: Construct): CloudSqlPostgres => cloudSql(scope, CloudSqlLogin.iam('mlflow@shop.iam'));
const withPassword = (scope: Construct): CloudSqlPostgres =>
  cloudSql(scope, CloudSqlLogin.password(PostgresCredentials.fromSecretName('login')));

function bucketServer(scope: Construct, backend: IPostgresBackend, account = ACCOUNT): MlflowServer {
  const artifactRoot = new GcsArtifacts({
    bucket: 'models',
    identity: GoogleIdentity.fromServiceAccount(account),
  });
  return server(scope, { backend, artifactRoot, replicas: 2 });
}

/** What connects to any backend, and what else does: what a backend without a password cannot have. */
const ALL: Record<string, Connecting> = {
  ...CONNECTING,
  'server before PgBouncer, for its migration': {
    make: (scope, backend) => {
      const clientPassword = SecretKey.fromSecretName('pooler', 'password');
      server(scope, { backend: new PgBouncer(scope, 'pgbouncer', { backend, clientPassword }), isolation: {} }, 'it');
    },
    connected: ['wait-for-database', 'init-mlflow', 'mlflow'],
    kind: 'Deployment',
    policy: 'it',
  },
  PgBouncer: {
    make: (scope) => new PgBouncer(scope, 'it', { backend: withPassword(new Construct(scope, 'b')), isolation: {} }),
    connected: ['write-userlist', 'pgbouncer'],
    kind: 'Deployment',
    policy: 'it',
  },
  DatabaseBootstrap: {
    make: (scope) =>
      new DatabaseBootstrap(scope, 'it', {
        backend: withPassword(new Construct(scope, 'b')),
        admin: PostgresCredentials.fromSecretName('admin'),
        isolation: {},
      }),
    connected: ['bootstrap-database'],
    kind: 'Job',
    policy: 'it',
  },
};

describe.each(Object.entries(ALL))('%s', (_, connecting) => {
  const { connected, others = [] } = connecting;
  const scope = chart();
  connecting.make(scope, withoutPassword(scope));
  const manifests = Testing.synth(scope);
  const spec = podThatConnects(manifests, connecting);

  test('has the proxy before all others', () => {
    const [first, ...rest] = [...spec.initContainers, ...spec.containers];
    expect(first).toMatchObject({ name: 'cloud-sql-proxy', restartPolicy: 'Always' });
    expect(rest.map((c: Manifest) => c.name).sort()).toEqual([...connected, ...others].sort());
  });

  test('is whom the proxy has to be', () => {
    expect(spec.serviceAccountName).toBe('it');
    expect(only(manifests, 'ServiceAccount', 'it').metadata.annotations).toEqual(ANNOTATIONS);
  });

  test('may reach the instance, where it is isolated', () => {
    const ways = waysOut(manifests, connecting);
    if (ways !== undefined) {
      expect(ways).toEqual(expect.arrayContaining(['out 3307/TCP to anybody', 'out 443/TCP to anybody']));
      expect(ways.join()).not.toContain('127.0.0.1');
    }
  });
});

test('the migration Job has it, and ends although it runs: it is no container that counts', () => {
  const scope = chart();
  const { migrationJob } = server(scope, {
    backend: withoutPassword(scope),
    databaseMigration: DatabaseMigration.job(),
    isolation: {},
  });
  const manifests = Testing.synth(scope);
  const { spec } = only(manifests, 'Job').spec.template;
  expect(spec.initContainers.map((c: Manifest) => c.name)).toEqual(['cloud-sql-proxy', 'wait-for-database']);
  expect(edges(manifests, 'mlflow-migration')).toContain('out 3307/TCP to anybody');
  expect(migrationJob?.name).toBe(only(manifests, 'Job').metadata.name);
});

test('the garbage collection is whom the server is', () => {
  const scope = chart();
  const { node } = new MlflowGarbageCollection(scope, 'gc', {
    server: bucketServer(scope, withoutPassword(scope)),
    schedule: Cron.daily(),
    olderThan: Duration.days(30),
  });
  const manifests = Testing.synth(scope);
  const { spec } = only(manifests, 'CronJob', node.id).spec.jobTemplate.spec.template;
  expect(spec.initContainers.map((c: Manifest) => c.name)).toEqual(['cloud-sql-proxy', 'wait-for-database']);
  expect(spec.serviceAccountName).toBe('mlflow');
  expect(only(manifests, 'ServiceAccount').metadata.annotations).toEqual(ANNOTATIONS);
});

test('a backup into a bucket of another cloud has both identities', () => {
  const scope = chart();
  new PostgresBackup(scope, 'backup', {
    backend: withoutPassword(scope),
    target: BackupLocation.s3({
      bucket: 'dumps',
      region: 'eu-central-1',
      identity: AwsIdentity.fromRole('arn:aws:iam::123456789012:role/backup'),
    }),
  });
  expect(only(Testing.synth(scope), 'ServiceAccount').metadata.annotations).toEqual({
    ...ANNOTATIONS,
    'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/backup',
  });
});

test('nothing before a pooler needs the proxy where no migration goes around it', () => {
  const scope = chart();
  const backend = new PgBouncer(scope, 'pgbouncer', { backend: withPassword(scope) });
  server(scope, { backend, databaseMigration: DatabaseMigration.off() });
  const { spec } = only(Testing.synth(scope), 'Deployment', 'mlflow').spec.template;
  expect(spec.initContainers.map((c: Manifest) => c.name)).toEqual(['wait-for-database']);
});

test('a pooler before a login without a password has one of its own', () => {
  const scope = chart();
  const clientPassword = SecretKey.fromSecretName('pooler', 'password');
  const backend = new PgBouncer(scope, 'pgbouncer', { backend: withoutPassword(scope), clientPassword });
  server(scope, { backend });
  const manifests = Testing.synth(scope);
  const password = { secretKeyRef: { name: 'pooler', key: 'password' } };
  const ofServer = only(manifests, 'Deployment', 'mlflow').spec.template.spec;
  const ofPooler = only(manifests, 'Deployment', 'pgbouncer').spec.template.spec;
  expect(env(containerOf(ofPooler, 'write-userlist'))).toMatchObject({
    PGUSER: 'mlflow@shop.iam',
    PGPASSWORD: password,
  });
  expect(env(containerOf(ofServer, 'mlflow'))).toMatchObject({
    PGHOST: 'pgbouncer',
    PGUSER: 'mlflow@shop.iam',
    PGPASSWORD: password,
  });
  expect(env(containerOf(ofServer, 'mlflow'))).not.toHaveProperty('DATABASE_FAILURE_CAUSES');
  expect(env(containerOf(ofServer, 'init-mlflow'))).toMatchObject({
    PGHOST: '127.0.0.1',
    DATABASE_FAILURE_CAUSES: expect.stringContaining('"cloud-iam"') as string,
  });
  expect(env(containerOf(ofServer, 'init-mlflow'))).not.toHaveProperty('PGPASSWORD');
});

test('the runbook names its log, and no preparation of it', () => {
  const scope = chart();
  const backend = withoutPassword(scope);
  const runbook = server(scope, { backend, databaseMigration: DatabaseMigration.job() }).runbook();
  expect(runbook.split('\n').filter((line) => line.includes('-c cloud-sql-proxy'))).toEqual([
    'kubectl logs deployment/mlflow -c cloud-sql-proxy',
  ]);
  expect(runbook).not.toContain('### The login');
});

describe('errors', () => {
  const own = (scope: Construct): ServiceAccount => new ServiceAccount(scope, 'own');
  const OWN_ACCOUNT =
    '`serviceAccount` must not be set if `backend` has an identity for the ServiceAccount. Leave it out, or annotate your own ServiceAccount and give `backend` ambient credentials.';

  test.each<[string, (scope: Construct) => void, string]>([
    [
      'a server with a ServiceAccount of its own',
      (scope) => server(scope, { backend: withoutPassword(scope), serviceAccount: own(scope) }),
      `[chart/mlflow] ${OWN_ACCOUNT}`,
    ],
    [
      'a Job with a ServiceAccount of its own',
      (scope) =>
        new PostgresBackup(scope, 'backup', {
          backend: new PgBouncer(scope, 'pgbouncer', { backend: withPassword(scope) }),
          target: BackupLocation.volume(),
          serviceAccount: own(scope),
        }),
      `[chart/backup] ${OWN_ACCOUNT}`,
    ],
    [
      'artifacts of another account',
      (scope) => bucketServer(scope, withoutPassword(scope), 'other@shop.iam.gserviceaccount.com'),
      `[chart/mlflow] \`artifactRoot\` must have the identity of \`backend\`, ${ACCOUNT} (iam.gke.io/gcp-service-account), got "other@shop.iam.gserviceaccount.com". A pod has one ServiceAccount: give one account the rights of both.`,
    ],
    [
      'a pooler without a password for its clients',
      (scope) => new PgBouncer(scope, 'pgbouncer', { backend: withoutPassword(scope) }),
      '[chart/pgbouncer] `clientPassword` must be set if `backend` logs in without a password: PgBouncer requires one of its clients. Give a key of a Secret that holds a long random text.',
    ],
    [
      'a pooler that lets others in, without a password of its own',
      (scope) =>
        new PgBouncer(scope, 'pgbouncer', {
          backend: withoutPassword(scope),
          clientPassword: SecretKey.fromSecretName('pooler', 'password'),
          authQuery: 'SELECT a, b FROM c($1)',
          maxDatabaseConnections: 60,
        }),
      '[chart/pgbouncer] `authQuery` must not be set if `backend` logs in without a password: its proxy authenticates no other user. Leave it out.',
    ],
    [
      'a pooler with two passwords, one of a Secret that cannot be',
      (scope) =>
        new PgBouncer(scope, 'pgbouncer', {
          backend: withPassword(scope),
          clientPassword: SecretKey.fromSecretName('A', 'password'),
        }),
      [
        '[chart/pgbouncer] `clientPassword` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
        '[chart/pgbouncer] `clientPassword` must not be set if `backend` has a password: clients log in with that. Leave it out.',
      ].join('\n'),
    ],
    [
      'a role without a password that is to be made',
      (scope) =>
        new DatabaseBootstrap(scope, 'bootstrap', {
          backend: withoutPassword(scope),
          admin: PostgresCredentials.fromSecretName('admin'),
        }),
      "[chart/bootstrap] `backend` must log in with a password, which the role gets. Create a role without one as an administrator, or with the database provider's tools.",
    ],
    [
      'an exporter that would log in with a password',
      (scope) =>
        new PostgresExporter(scope, 'exporter', {
          backend: withoutPassword(scope),
          credentials: PostgresCredentials.fromSecretName('monitor'),
        }),
      '[chart/exporter] `credentials` must be left out where the proxy of `backend` logs in, which can log in as no other role. Leave it out, or use another backend on the same database, with a password.',
    ],
  ])('%s', (_, make, text) => {
    expect(() => {
      make(chart());
    }).toThrow(new Error(text));
  });

  test('none for a ServiceAccount of its own with ambient credentials', () => {
    const scope = chart();
    const backend = cloudSql(scope, CloudSqlLogin.iam('mlflow@shop.iam'), GoogleIdentity.ambient());
    server(scope, { backend, serviceAccount: own(scope) });
    expect(only(Testing.synth(scope), 'ServiceAccount').metadata.annotations).toBeUndefined();
  });
});
