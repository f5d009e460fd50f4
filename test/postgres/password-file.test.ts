import { Cron, Duration, Testing } from 'cdk8s';
import {
  BackupLocation,
  DatabaseBootstrap,
  DatabaseMigration,
  FileSource,
  MlflowGarbageCollection,
  Persistence,
  PgBouncer,
  PostgresBackup,
  PostgresCredentials,
  PostgresExporter,
  PostgresRestore,
  PostgresTls,
  RdsIdentity,
  RdsPostgres,
  S3Artifacts,
  S3Credentials,
  SecretKey,
  SqliteImport,
  SqliteSource,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { edges } from '../support/edges';
import { chart, containerOf, env, type Manifest, only, server } from '../support/synth';

const ROLE = 'arn:aws:iam::123456789012:role/mlflow';
const ANNOTATIONS = { 'eks.amazonaws.com/role-arn': ROLE };

function rds(scope: Construct): RdsPostgres {
  return new RdsPostgres(scope, 'postgres', {
    host: 'shop.cluster-abc.eu-west-1.rds.amazonaws.com',
    user: 'mlflow',
    identity: RdsIdentity.fromRole(ROLE),
    tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('rds-ca', 'bundle.pem') }),
  });
}

const bucket = (role: string): S3Artifacts =>
  new S3Artifacts({ bucket: 'models', credentials: S3Credentials.fromRole(role) });

/** What connects; in its pod, which containers read the file, and which do not. */
const CONNECTING: Record<string, [(scope: Construct) => void, string[], string[]]> = {
  server: [
    (scope) => server(scope, { backend: rds(scope), artifactRoot: bucket(ROLE), isolation: {} }, 'it'),
    ['wait-for-database', 'init-mlflow', 'mlflow'],
    [],
  ],
  'migration Job': [
    (scope) => server(scope, { backend: rds(scope), databaseMigration: DatabaseMigration.job(), isolation: {} }, 'it'),
    ['wait-for-database', 'init-mlflow'],
    [],
  ],
  PostgresBackup: [
    (scope) => {
      const target = BackupLocation.s3({
        bucket: 'dumps',
        region: 'eu-west-1',
        credentials: S3Credentials.fromRole(ROLE),
      });
      new PostgresBackup(scope, 'it', { backend: rds(scope), target, isolation: {} });
    },
    ['wait-for-database', 'dump'],
    ['store'],
  ],
  PostgresRestore: [
    (scope) => {
      const source = BackupLocation.volume(Persistence.existingClaim('dumps'));
      new PostgresRestore(scope, 'it', { backend: rds(scope), source, isolation: {} });
    },
    ['wait-for-database', 'restore'],
    ['fetch'],
  ],
  SqliteImport: [
    (scope) => {
      const source = SqliteSource.fromClaim('old', 'mlflow.db');
      new SqliteImport(scope, 'it', { backend: rds(scope), source, isolation: {} });
    },
    ['wait-for-database', 'import-sqlite'],
    [],
  ],
  PostgresExporter: [(scope) => new PostgresExporter(scope, 'it', { backend: rds(scope) }), ['postgres-exporter'], []],
};

describe.each(Object.entries(CONNECTING))('%s', (name, [make, connected, others]) => {
  const scope = chart();
  make(scope);
  const manifests = Testing.synth(scope);
  const kinds = name === 'migration Job' ? /^Job$/ : /^(Deployment|Job|CronJob)$/;
  const workload = manifests.find((m: Manifest) => kinds.test(m.kind) && m.metadata.name.startsWith('it'));
  const { spec } = (workload.spec.jobTemplate?.spec ?? workload.spec).template;

  test('waits for the first token, and reads it where it connects', () => {
    expect(spec.initContainers[0]).toMatchObject({ name: 'rds-token', restartPolicy: 'Always' });
    const read = connected.map((each) => containerOf(spec, each));
    expect(read.map((each) => env(each).PGPASSFILE)).toEqual(connected.map(() => '/run/postgres-password/pgpass'));
    expect(JSON.stringify(spec)).not.toContain('PGPASSWORD');
    const mounts = read.map((each) => each.volumeMounts.filter((m: Manifest) => m.name === 'rds-token'));
    expect(mounts).toEqual(
      connected.map(() => [{ mountPath: '/run/postgres-password', name: 'rds-token', readOnly: true }]),
    );
    expect(JSON.stringify(others.map((each) => containerOf(spec, each)))).not.toContain('rds-token');
  });

  test('is the role, and has a way to the database and to STS where it is isolated', () => {
    expect(only(manifests, 'ServiceAccount', spec.serviceAccountName).metadata.annotations).toEqual(ANNOTATIONS);
    if (name !== 'PostgresExporter') {
      const policy = name === 'migration Job' ? 'it-migration' : 'it';
      expect(edges(manifests, policy)).toEqual(
        expect.arrayContaining(['out 5432/TCP to anybody', 'out 443/TCP to anybody']),
      );
    }
  });
});

test('the garbage collection reads it, too', () => {
  const scope = chart();
  const { node } = new MlflowGarbageCollection(scope, 'gc', {
    server: server(scope, { backend: rds(scope), artifactRoot: bucket(ROLE) }),
    schedule: Cron.daily(),
    olderThan: Duration.days(30),
  });
  const { spec } = only(Testing.synth(scope), 'CronJob', node.id).spec.jobTemplate.spec.template;
  expect(spec.initContainers.map((c: Manifest) => c.name)).toEqual(['rds-token']);
  expect(env(spec.containers[0])).toMatchObject({ PGPASSFILE: '/run/postgres-password/pgpass' });
});

test('an exporter with a login of its own needs no token', () => {
  const scope = chart();
  new PostgresExporter(scope, 'it', {
    backend: rds(scope),
    credentials: PostgresCredentials.fromSecretName('monitor'),
  });
  const { spec } = only(Testing.synth(scope), 'Deployment').spec.template;
  expect(spec.initContainers ?? []).toEqual([]);
  expect(env(spec.containers[0])).not.toHaveProperty('PGPASSFILE');
  expect(env(spec.containers[0])).toMatchObject({ PGPASSWORD: { secretKeyRef: { name: 'monitor', key: 'password' } } });
});

test('the runbook names its log', () => {
  const scope = chart();
  const runbook = server(scope, { backend: rds(scope) }).runbook();
  expect(runbook.split('\n').filter((line) => line.includes('-c rds-token'))).toEqual([
    'kubectl logs deployment/mlflow -c rds-token',
  ]);
});

describe('errors', () => {
  test.each<[string, (scope: Construct) => void, string]>([
    [
      'a PgBouncer',
      (scope) => new PgBouncer(scope, 'pgbouncer', { backend: rds(scope) }),
      '[chart/pgbouncer] `backend` must not have a password that expires: PgBouncer reads no password file. Use a backend with a lasting password, or what the provider has in its place: for RDS, the endpoint of an RDS Proxy as its `host`, without a PgBouncer.',
    ],
    [
      'a PgBouncer with a password for its clients',
      (scope) =>
        new PgBouncer(scope, 'pgbouncer', {
          backend: rds(scope),
          clientPassword: SecretKey.fromSecretName('pooler', 'password'),
        }),
      '[chart/pgbouncer] `backend` must not have a password that expires: PgBouncer reads no password file. Use a backend with a lasting password, or what the provider has in its place: for RDS, the endpoint of an RDS Proxy as its `host`, without a PgBouncer.',
    ],
    [
      'a role that is to be made',
      (scope) =>
        new DatabaseBootstrap(scope, 'bootstrap', {
          backend: rds(scope),
          admin: PostgresCredentials.fromSecretName('admin'),
        }),
      '[chart/bootstrap] `backend` must log in with a password, which the role gets. One that is let in by something else is made there: for Cloud SQL, `gcloud sql users create`; for RDS, `CREATE ROLE` and `GRANT rds_iam TO` it.',
    ],
    [
      'artifacts of another role',
      (scope) => {
        const artifactRoot = bucket('arn:aws:iam::123456789012:role/other');
        server(scope, { backend: rds(scope), artifactRoot });
      },
      `[chart/mlflow] \`artifactRoot\` must have the identity of \`backend\`, ${ROLE} (eks.amazonaws.com/role-arn), got "arn:aws:iam::123456789012:role/other". A pod has one ServiceAccount: give one account the rights of both.`,
    ],
  ])('%s', (_, make, text) => {
    expect(() => {
      make(chart());
    }).toThrow(new Error(text));
  });
});
