import { App, Chart, Testing } from 'cdk8s';
import {
  type CloudNativeDatabaseOptions,
  CloudNativePostgres,
  type CloudNativePostgresProps,
  MlflowServer,
  PgBouncer,
} from 'cdk8s-mlflow';

import { containerOf, env, type Manifest, only } from '../../support/synth';

/** A cluster, and what is made on it, after a synthesis that validates. */
function synth(
  make: (chart: Chart, cluster: CloudNativePostgres) => void,
  props: CloudNativePostgresProps = {},
): Manifest[] {
  const app = new App({ outdir: Testing.app().outdir });
  const chart = new Chart(app, 'chart');
  make(chart, new CloudNativePostgres(chart, 'postgres', props));
  app.synth();
  return chart.toJson();
}

const role = { ensure: 'present', login: true, inherit: true, connectionLimit: -1 };

test('makes databases with owners of their own', () => {
  const manifests = synth((_, cluster) => {
    cluster.addDatabase('vision', { secretName: 'vision-login' });
    cluster.addDatabase('text', { database: 'nlp', owner: 'team', secretName: 'text-login', schema: 'tracking' });
  });
  expect(only(manifests, 'Cluster').spec.managed).toEqual({
    roles: [
      { name: 'vision', passwordSecret: { name: 'vision-login' }, ...role },
      { name: 'team', passwordSecret: { name: 'text-login' }, ...role },
    ],
  });
  expect(only(manifests, 'Database', 'postgres-vision')).toEqual({
    apiVersion: 'postgresql.cnpg.io/v1',
    kind: 'Database',
    metadata: {
      name: 'postgres-vision',
      labels: {
        'app.kubernetes.io/component': 'database',
        'app.kubernetes.io/instance': 'postgres',
        'app.kubernetes.io/managed-by': 'cdk8s',
        'app.kubernetes.io/name': 'postgresql',
      },
    },
    spec: { cluster: { name: 'postgres' }, name: 'vision', owner: 'vision' },
  });
  expect(only(manifests, 'Database', 'postgres-text').spec).toEqual({
    cluster: { name: 'postgres' },
    name: 'nlp',
    owner: 'team',
    schemas: [{ name: 'tracking', owner: 'team', ensure: 'present' }],
  });
});

test.each([
  ['without a pooler', {}],
  ['around the pooler', { pooler: {} }],
])('a server connects to its database, %s', (_, props) => {
  const manifests = synth((chart, cluster) => {
    const backend = cluster.addDatabase('vision', { secretName: 'vision-login', schema: 'tracking' });
    new MlflowServer(chart, 'mlflow', { backend });
  }, props);
  const pod = only(manifests, 'Deployment').spec.template.spec;
  expect(env(containerOf(pod, 'mlflow'))).toMatchObject({
    PGHOST: 'postgres-rw',
    PGDATABASE: 'vision',
    PGUSER: { secretKeyRef: { key: 'username', name: 'vision-login' } },
    PGPASSWORD: { secretKeyRef: { key: 'password', name: 'vision-login' } },
    PGOPTIONS: '-c search_path=tracking',
    PGSSLMODE: 'verify-full',
  });
});

test("a schema of the cluster's first database is not that of the others", () => {
  const cluster = new CloudNativePostgres(new Chart(Testing.app(), 'chart'), 'postgres', { schema: 'tracking' });
  expect(cluster.addDatabase('vision', { secretName: 'vision-login' }).connection.schema).toBeUndefined();
});

const threeServers = (chart: Chart, cluster: CloudNativePostgres): void => {
  new MlflowServer(chart, 'mlflow', { backend: cluster });
  ['vision', 'text'].forEach((team) => {
    new MlflowServer(chart, team, { backend: cluster.addDatabase(`${team}-db`, { secretName: `${team}-login` }) });
  });
};

test('the servers of all databases share the connections of the cluster', () => {
  expect(() => synth(threeServers)).toThrow(
    new Error(
      [
        'Validation failed with the following errors:',
        '  [chart/text] pool-fits-database: up to 132 connections exceed the 97 that chart/postgres offers to all of its backends together:',
        '      chart/postgres: 44 (mlflow: 1 pod x 44 with 2 workers)',
        '      chart/postgres/vision-db: 44 (vision: 1 pod x 44 with 2 workers)',
        '      chart/postgres/text-db: 44 (text: 1 pod x 44 with 2 workers)',
        '    Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between. The largest pool that fits is 7 + 1. `maxConnections` 135 fits all.',
      ].join('\n'),
    ),
  );
  expect(() => synth(threeServers, { maxConnections: 135 })).not.toThrow();
});

test('the pooler leaves what the servers of the other databases need', () => {
  const poolSize = (props: CloudNativePostgresProps, make: Parameters<typeof synth>[0]): string =>
    only(synth(make, props), 'Pooler').spec.pgbouncer.parameters.default_pool_size;
  const props = { maxConnections: 200, pooler: {} };
  const other = (chart: Chart, cluster: CloudNativePostgres): void => {
    new MlflowServer(chart, 'vision', { backend: cluster.addDatabase('vision-db', { secretName: 'login' }) });
  };
  expect([poolSize(props, () => undefined), poolSize(props, other)]).toEqual(['60', '50']);
});

test('each database has a migration of its own, which counts', () => {
  const pools = (chart: Chart, cluster: CloudNativePostgres): void => {
    ['vision', 'text'].forEach((team) => {
      const backend = new PgBouncer(chart, `${team}-pool`, {
        backend: cluster.addDatabase(`${team}-db`, { secretName: `${team}-login` }),
        replicas: 1,
        defaultPoolSize: 45,
      });
      new MlflowServer(chart, team, { backend });
    });
  };
  expect(() => synth(pools, { maxConnections: 188 })).toThrow('up to 186 connections');
  expect(() => synth(pools, { maxConnections: 189 })).not.toThrow();
});

test.each<[CloudNativeDatabaseOptions, string]>([
  [
    { secretName: 'login', database: 'postgres', owner: 'me' },
    '`database` must be another than those that PostgreSQL comes with, got "postgres".',
  ],
  [
    { secretName: 'login', database: 'mlflow', owner: 'me' },
    '`database` must be another than the databases that the cluster has, got "mlflow".',
  ],
  [
    { secretName: 'login', database: 'first', owner: 'me' },
    '`database` must be another than the databases that the cluster has, got "first".',
  ],
  [
    { secretName: 'login', owner: 'mlflow' },
    '`owner` must be another than the owners of the databases that the cluster has, got "mlflow".',
  ],
  [
    { secretName: 'login', owner: 'cnpg_me' },
    '`owner` must not be a role of PostgreSQL or of the operator, got "cnpg_me".',
  ],
  [
    { secretName: 'login', owner: 'postgres' },
    '`owner` must be a role other than the superuser, got "postgres". The operator gives the superuser no password.',
  ],
  [
    { secretName: 'A' },
    '`secretName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
  ],
  [
    { secretName: 'login', schema: 'pg_mine' },
    '`schema` must not be PostgreSQL\'s own (pg_…, information_schema, $user), got "pg_mine".',
  ],
])('%#: refuses %j', (options, message) => {
  const cluster = new CloudNativePostgres(new Chart(Testing.app(), 'chart'), 'postgres');
  cluster.addDatabase('first', { secretName: 'first-login' });
  expect(() => cluster.addDatabase('vision', options)).toThrow(new Error(`[chart/postgres/vision] ${message}`));
});
