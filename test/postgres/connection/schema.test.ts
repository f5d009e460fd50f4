import { Testing } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  CloudSqlLogin,
  CloudSqlPostgres,
  DatabaseBootstrap,
  ExistingSecretPostgres,
  ExternalPostgres,
  GoogleIdentity,
  type IPostgresBackend,
  PgBouncer,
  PostgresCredentials,
  PostgresTls,
  RdsPostgres,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { chart, container, env, only, server } from '../../support/synth';

const secretName = 'login';
const external = (scope: Construct, schema?: string): ExternalPostgres =>
  new ExternalPostgres(scope, 'postgres', { host: 'db', user: 'mlflow', password: 'secret', schema });

const BACKENDS: Record<string, (scope: Construct, schema?: string) => IPostgresBackend> = {
  external,
  existingSecret: (scope, schema) => new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName, schema }),
  connectionSecret: (scope, schema) =>
    ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', { secretName, schema }),
  rds: (scope, schema) =>
    new RdsPostgres(scope, 'postgres', {
      host: 'mlflow.abc.eu-central-1.rds.amazonaws.com',
      user: 'mlflow',
      tls: PostgresTls.REQUIRE,
      schema,
    }),
  cloudSql: (scope, schema) =>
    new CloudSqlPostgres(scope, 'postgres', {
      instanceConnectionName: 'my-project:europe-west3:mlflow',
      identity: GoogleIdentity.fromSecretName('google'),
      login: CloudSqlLogin.password(PostgresCredentials.fromSecretName(secretName)),
      schema,
    }),
  bitnami: (scope, schema) =>
    new BitnamiPostgres(scope, 'postgres', { passwords: BitnamiPasswords.fromSecretName(secretName), schema }),
  cloudNative: (scope, schema) => new CloudNativePostgres(scope, 'postgres', { schema }),
};

describe.each(Object.entries(BACKENDS))('%s', (_, backend) => {
  const environment = (schema?: string): Record<string, unknown> => {
    const scope = chart();
    server(scope, { backend: backend(scope, schema) });
    return env(container(Testing.synth(scope), 'mlflow'));
  };

  test('puts the schema into the search_path', () => {
    expect(environment('mlflow')).toMatchObject({ PGOPTIONS: '-c search_path=mlflow', DATABASE_SCHEMA: 'mlflow' });
  });

  test("leaves the login's own search_path alone by default", () => {
    expect(environment()).not.toHaveProperty('PGOPTIONS');
    expect(environment()).not.toHaveProperty('DATABASE_SCHEMA');
  });

  test.each([
    [
      '',
      'must be given or left out, got an empty string. If it comes from an environment variable, set that before the synthesis.',
    ],
    ['ü'.repeat(32), `must have 1 to 63 bytes without control characters, got "${'ü'.repeat(32)}"`],
    ['a\nb', 'must have 1 to 63 bytes without control characters, got "a\\nb"'],
    ['pg_mlflow', 'must not be PostgreSQL\'s own (pg_…, information_schema, $user), got "pg_mlflow"'],
    ['$user', 'must not be PostgreSQL\'s own (pg_…, information_schema, $user), got "$user"'],
  ])('refuses %j', (schema, text) => {
    expect(() => backend(chart(), schema)).toThrow(`[chart/postgres] \`schema\` ${text}`);
  });
});

test.each([
  ['Team', '-c search_path="Team"'],
  ['a b', '-c search_path="a\\ b"'],
  ['a"b\\c', '-c search_path="a""b\\\\c"'],
])('quotes %j', (schema, options) => {
  const scope = chart();
  server(scope, { backend: external(scope, schema) });
  expect(env(container(Testing.synth(scope), 'mlflow')).PGOPTIONS).toBe(options);
});

test('a PgBouncer sets it itself, and only what bypasses it names it', () => {
  const scope = chart();
  server(scope, { backend: new PgBouncer(scope, 'pgbouncer', { backend: external(scope, 'Team') }) });
  const manifests = Testing.synth(scope);
  const pod = only(manifests, 'Deployment', 'mlflow').spec.template.spec;
  const [main] = pod.containers;
  expect(env(main)).not.toHaveProperty('PGOPTIONS');
  expect(env(main).DATABASE_SCHEMA).toBe('Team');
  const init = pod.initContainers.find(({ name }: { name: string }) => name === 'init-mlflow');
  expect(env(init).PGOPTIONS).toBe('-c search_path="Team"');
  const pooler = only(manifests, 'Deployment', 'pgbouncer').spec.template.spec;
  expect(env(pooler.initContainers[0]).DATABASE_SCHEMA).toBe('Team');
  const [settings] = manifests.filter(({ data }) => data?.['pgbouncer.ini'] !== undefined);
  expect(settings.data['pgbouncer.ini']).toContain(
    '\nserver_reset_query = CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES; SET search_path = "Team"\n',
  );
});

test('a new cluster of CloudNativePG gets the schema, and its role the search_path, for its pooler', () => {
  const scope = chart();
  new CloudNativePostgres(scope, 'postgres', { schema: 'Team', pooler: {} });
  expect(only(Testing.synth(scope), 'Cluster').spec.bootstrap.initdb).toEqual({
    database: 'mlflow',
    owner: 'mlflow',
    postInitApplicationSQL: [
      'CREATE SCHEMA IF NOT EXISTS "Team" AUTHORIZATION "mlflow"',
      'ALTER ROLE "mlflow" IN DATABASE "mlflow" SET search_path = "Team"',
    ],
  });
});

test('the bootstrap makes it, as an administrator with a search_path of their own', () => {
  const scope = chart();
  const admin = PostgresCredentials.fromSecretName('admin');
  new DatabaseBootstrap(scope, 'bootstrap', { backend: external(scope, 'Team'), admin });
  const variables = env(only(Testing.synth(scope), 'Job').spec.template.spec.containers[0]);
  expect(variables.BOOTSTRAP_SCHEMA).toBe('Team');
  expect(variables).not.toHaveProperty('PGOPTIONS');
});
