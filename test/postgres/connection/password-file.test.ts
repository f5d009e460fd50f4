import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Cron, Duration, Testing } from 'cdk8s';
import {
  AwsIdentity,
  BackupLocation,
  ConnectionFailure,
  type ConnectionFailureCause,
  DatabaseBootstrap,
  FileSource,
  type IPostgresBackend,
  MlflowGarbageCollection,
  PgBouncer,
  PostgresBackup,
  PostgresConnection,
  PostgresCredentials,
  PostgresExporter,
  PostgresTls,
  RdsPostgres,
  S3Artifacts,
  SecretKey,
} from 'cdk8s-mlflow';
import { EnvValue, Volume } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { CONNECTING, podThatConnects, waysOut } from '../../support/connecting';
import { chart, containerOf, env, type Manifest, only, server } from '../../support/synth';

const ROLE = 'arn:aws:iam::123456789012:role/mlflow';
const ANNOTATIONS = { 'eks.amazonaws.com/role-arn': ROLE };

function rds(scope: Construct): RdsPostgres {
  return new RdsPostgres(scope, 'postgres', {
    host: 'shop.cluster-abc.eu-west-1.rds.amazonaws.com',
    user: 'mlflow',
    identity: AwsIdentity.fromRole(ROLE),
    tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('rds-ca', 'bundle.pem') }),
  });
}

const bucket = (role: string): S3Artifacts =>
  new S3Artifacts({ bucket: 'models', identity: AwsIdentity.fromRole(role) });

describe.each(Object.entries(CONNECTING))('%s', (_, connecting) => {
  const { connected, others = [] } = connecting;
  const scope = chart();
  connecting.make(scope, rds(scope), bucket(ROLE));
  const manifests = Testing.synth(scope);
  const spec = podThatConnects(manifests, connecting);

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
    const ways = waysOut(manifests, connecting);
    if (ways !== undefined) {
      expect(ways).toEqual(expect.arrayContaining(['out 5432/TCP to anybody', 'out 443/TCP to anybody']));
    }
  });
});

test('a backup into a bucket is one role for both, and only what connects reads the token', () => {
  const scope = chart();
  const identity = AwsIdentity.fromRole(ROLE);
  const target = BackupLocation.s3({ bucket: 'dumps', region: 'eu-west-1', identity });
  new PostgresBackup(scope, 'it', { backend: rds(scope), target });
  const manifests = Testing.synth(scope);
  const { spec } = only(manifests, 'CronJob').spec.jobTemplate.spec.template;
  expect(only(manifests, 'ServiceAccount').metadata.annotations).toEqual(ANNOTATIONS);
  expect(JSON.stringify(containerOf(spec, 'store'))).not.toContain('rds-token');
});

test('the garbage collection reads it, too', () => {
  const scope = chart();
  const { node } = new MlflowGarbageCollection(scope, 'gc', {
    server: server(scope, { backend: rds(scope), artifactRoot: bucket(ROLE) }),
    schedule: Cron.daily(),
    olderThan: Duration.days(30),
  });
  const { spec } = only(Testing.synth(scope), 'CronJob', node.id).spec.jobTemplate.spec.template;
  expect(spec.initContainers.map((c: Manifest) => c.name)).toEqual(['rds-token', 'wait-for-database']);
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

/** A user's own sidecar, which keeps the password of a role that lasts for an hour. */
function vault(scope: Construct, failureCauses?: ConnectionFailureCause[]): IPostgresBackend & Construct {
  const volume = Volume.fromEmptyDir(scope, 'lease', 'lease');
  const connection = new PostgresConnection({
    host: EnvValue.fromValue('db'),
    port: EnvValue.fromValue('5432'),
    database: EnvValue.fromValue('mlflow'),
    credentials: PostgresCredentials.fromSecretName('login'),
    tls: PostgresTls.REQUIRE,
    sidecar: {
      container: { name: 'vault-agent', image: 'vault:1' },
      routes: [{ ports: [5432] }],
      passwordFile: { volume, name: 'pgpass' },
      failureCauses,
    },
  });
  return Object.assign(new Construct(scope, 'backend'), { connection });
}

describe("a user's own sidecar", () => {
  const LEASE = {
    replaces: ConnectionFailure.WRONG_PASSWORD,
    name: 'expired-lease',
    advice: 'Look at the log of vault-agent, and renew the lease of the role',
  };

  test.each<[string, ConnectionFailureCause[] | undefined, object[]]>([
    ['brings its own cause and advice', [LEASE], [LEASE]],
    [
      'is where to look otherwise',
      undefined,
      [
        {
          replaces: 'wrong-password',
          advice:
            'The container vault-agent keeps the password for this one: look at its log, and at what PGUSER may do',
          name: 'wrong-password',
        },
      ],
    ],
  ])('%s', (_, causes, expected) => {
    const scope = chart();
    server(scope, { backend: vault(scope, causes) });
    const { spec } = only(Testing.synth(scope), 'Deployment').spec.template;
    for (const name of ['init-mlflow', 'mlflow']) {
      expect(JSON.parse(env(containerOf(spec, name)).DATABASE_FAILURE_CAUSES)).toEqual(expected);
    }
  });

  test('has its causes in the runbook, in place of the general ones', () => {
    const scope = chart();
    const page = (cause: string): string =>
      `[\`${cause}\`](https://cdk8s-mlflow.github.io/cdk8s-mlflow/errors#${cause})`;
    const general = { replaces: ConnectionFailure.NO_LOGIN, advice: 'Create the role again' };
    const runbook = server(scope, { backend: vault(scope, [LEASE, general]) }).runbook();
    expect(runbook.split('\n').filter((line) => /^\| .*(lease|login)/.test(line))).toEqual([
      '| `expired-lease` | Look at the log of vault-agent, and renew the lease of the role |',
      '| `no-login` | Create the role again |',
      `| ${page('wrong-password')}, ${page('pg-hba')} | the server rejects the login: check the Secret below and \`pg_hba.conf\` |`,
    ]);
  });

  test('replaces failures that the scripts know', () => {
    const table = readFileSync(join(__dirname, '../../../lib/scripts/shared/database_errors.py'), 'utf8');
    const causes = [...table.matchAll(/Cause\(\s*"([-a-z]+)"/g)].map(([, name]) => name);
    expect(causes).toEqual(expect.arrayContaining(Object.values(ConnectionFailure)));
  });
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
      "[chart/pgbouncer] `backend` must not have a password that expires: PgBouncer reads no password file. Use a backend with a password that does not expire, or a pooler of the database's provider as its `host`, without a PgBouncer.",
    ],
    [
      'a PgBouncer with a password for its clients',
      (scope) =>
        new PgBouncer(scope, 'pgbouncer', {
          backend: rds(scope),
          clientPassword: SecretKey.fromSecretName('pooler', 'password'),
        }),
      "[chart/pgbouncer] `backend` must not have a password that expires: PgBouncer reads no password file. Use a backend with a password that does not expire, or a pooler of the database's provider as its `host`, without a PgBouncer.",
    ],
    [
      'a role that is to be made',
      (scope) =>
        new DatabaseBootstrap(scope, 'bootstrap', {
          backend: rds(scope),
          admin: PostgresCredentials.fromSecretName('admin'),
        }),
      "[chart/bootstrap] `backend` must log in with a password, which the role gets. Create a role without one as an administrator, or with the database provider's tools.",
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
