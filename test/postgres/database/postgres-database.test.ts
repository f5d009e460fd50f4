import { App, Chart, Testing } from 'cdk8s';
import {
  CloudNativePostgres,
  ExternalPostgres,
  FileSource,
  MlflowServer,
  PostgresCredentials,
  PostgresDatabase,
  PostgresTls,
} from 'cdk8s-mlflow';

import { container, env, type Manifest, only } from '../../support/synth';
import {
  type Backend,
  bitnami,
  cloudSql,
  credentials,
  external,
  inSecret,
  login,
  own,
  RDS,
  rds,
} from '../capacity/server-backends';

const newApp = (): App => new App({ outdir: Testing.app().outdir });

function manifests(server: Backend, schema?: string): Manifest[] {
  const app = newApp();
  const database = new PostgresDatabase(new Chart(app, 'team', { namespace: 'team' }), 'postgres', {
    server: server(new Chart(app, 'platform', { namespace: 'platform' }), 60),
    database: 'vision',
    schema,
    credentials: PostgresCredentials.fromSecretName('vision-login'),
  });
  new MlflowServer(Chart.of(database), 'mlflow', { backend: database });
  app.synth();
  return Chart.of(database).toJson();
}

test('has the address of its server, and its own name and login', () => {
  const variables = env(container(manifests(rdsWithPassword, 'tracking'), 'mlflow'));
  expect(variables).toMatchObject({
    PGHOST: RDS,
    PGPORT: '6543',
    PGSSLMODE: 'verify-full',
    PGDATABASE: 'vision',
    PGUSER: { secretKeyRef: { name: 'vision-login', key: 'username' } },
    PGPASSWORD: { secretKeyRef: { name: 'vision-login', key: 'password' } },
    PGOPTIONS: '-c search_path=tracking',
  });
});

const rdsWithPassword: Backend = (chart, maxConnections) =>
  new ExternalPostgres(chart, 'postgres', {
    host: RDS,
    port: 6543,
    schema: 'other',
    tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('ca', 'ca.pem') }),
    maxConnections,
    ...login,
  });

test('in another namespace, it finds the Service of its server, which lets it in', () => {
  const all = manifests(bitnami);
  expect(env(container(all, 'mlflow'))).toMatchObject({ PGHOST: 'postgres.platform' });
  expect(only(all, 'Deployment').spec.template.metadata.labels).toMatchObject({ 'postgres-client': 'true' });
});

test('has the proxy of its server', () => {
  const { initContainers } = only(manifests(cloudSql('shop:europe-west1:a')), 'Deployment').spec.template.spec;
  expect(initContainers.map(({ name }: Manifest) => name)).toContain('cloud-sql-proxy');
});

test.each<[string, Backend]>([
  ['an external server', external('db.example.com')],
  ['a Secret that each namespace has', inSecret('app')],
  ['a proxy', cloudSql('shop:europe-west1:a')],
  ['a proxy that nobody named', own({})],
  ['a server in the cluster', bitnami],
  [
    'a server behind a pooler',
    (chart, limit) =>
      new CloudNativePostgres(chart, 'c', { maxConnections: limit, pooler: { defaultPoolSize: 15, instances: 1 } }),
  ],
])('counts towards %s', (_, backend) => {
  const app = newApp();
  const platform = new Chart(app, 'platform', { namespace: 'platform' });
  const server = backend(platform, 60);
  new MlflowServer(platform, 'mlflow', { backend: server, threads: 3 });
  const chart = new Chart(app, 'team', { namespace: 'team' });
  const database = new PostgresDatabase(chart, 'postgres', { server, database: 'vision', credentials });
  new MlflowServer(chart, 'mlflow', { backend: database });
  expect(() => {
    app.synth();
  }).toThrow(
    /up to \d+ connections exceed the 57 that .*\n(.*\n)? +team\/postgres: 44 \(mlflow: 1 pod x 44 with 2 workers\)\n/,
  );
});

test('says what is wrong', () => {
  const chart = new Chart(newApp(), 'chart');
  const props = { database: 'x'.repeat(64), schema: 'pg_mine', credentials };
  expect(() => new PostgresDatabase(chart, 'database', { ...props, server: rds(RDS)(chart) })).toThrow(
    new Error(
      [
        `[chart/database] \`database\` must have 1 to 63 bytes, got "${'x'.repeat(64)}".`,
        '[chart/database] `schema` must not be PostgreSQL\'s own (pg_…, information_schema, $user), got "pg_mine".',
        '[chart/database] `server` must log in with a password: a certificate, or a sidecar that logs in, is that of one role. Make another backend like it instead: with the same host or instance, both share one server.',
      ].join('\n'),
    ),
  );
});
