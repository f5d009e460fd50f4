import { Testing } from 'cdk8s';
import { ExistingSecretPostgres, type ExistingSecretPostgresProps, PostgresTls } from 'cdk8s-mlflow';

import { chart, container, env, server } from '../../support/synth';

test('makes nothing, and refers to the keys of the guide', () => {
  const scope = chart();
  const backend = new ExistingSecretPostgres(scope, 'postgres', {
    host: 'rds',
    secretName: 'postgres-database-secret',
  });
  expect(Testing.synth(scope)).toEqual([]);
  server(scope, { backend });
  expect(env(container(Testing.synth(scope), 'mlflow'))).toMatchObject({
    PGHOST: 'rds',
    PGPORT: '5432',
    PGDATABASE: 'mlflow',
    PGSSLMODE: 'require',
    PGUSER: { secretKeyRef: { key: 'username', name: 'postgres-database-secret' } },
    PGPASSWORD: { secretKeyRef: { key: 'password', name: 'postgres-database-secret' } },
  });
});

test('takes other keys', () => {
  const scope = chart();
  const backend = new ExistingSecretPostgres(scope, 'postgres', {
    host: 'rds',
    secretName: 'login',
    usernameKey: 'POSTGRES_USER',
    passwordKey: 'POSTGRES_PASSWORD',
  });
  server(scope, { backend });
  expect(env(container(Testing.synth(scope), 'init-mlflow'))).toMatchObject({
    PGUSER: { secretKeyRef: { key: 'POSTGRES_USER', name: 'login' } },
    PGPASSWORD: { secretKeyRef: { key: 'POSTGRES_PASSWORD', name: 'login' } },
  });
});

test('takes the whole address from a Secret, by the keys of CloudNativePG', () => {
  const scope = chart();
  const backend = ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', { secretName: 'pg-app' });
  server(scope, { backend });
  const from = (key: string) => ({ secretKeyRef: { key, name: 'pg-app' } });
  expect(env(container(Testing.synth(scope), 'mlflow'))).toMatchObject({
    PGHOST: from('host'),
    PGPORT: from('port'),
    PGDATABASE: from('dbname'),
    PGUSER: from('username'),
    PGPASSWORD: from('password'),
    PGSSLMODE: 'prefer',
  });
});

test('takes TLS and other keys for a whole address, too', () => {
  const scope = chart();
  const { connection } = ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', {
    secretName: 'pg-app',
    databaseKey: 'database',
    tls: PostgresTls.REQUIRE,
    maxConnections: 200,
  });
  expect(connection.database.valueFrom).toEqual({ secretKeyRef: { key: 'database', name: 'pg-app' } });
  expect([connection.tls.mode, connection.maxConnections]).toEqual(['require', 200]);
});

test.each<[Partial<ExistingSecretPostgresProps>, string]>([
  [
    { secretName: undefined },
    '[chart/pg] `secretName` must be given, got undefined. If it comes from an environment variable, set that before the synthesis.',
  ],
  [
    { secretName: 'My_Secret' },
    '[chart/pg] `secretName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "My_Secret".',
  ],
  [
    { passwordKey: 'pass word' },
    '[chart/pg] `passwordKey` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "pass word".',
  ],
  [
    { usernameKey: '' },
    '[chart/pg] `usernameKey` must be given or left out, got an empty string. If it comes from an environment variable, set that before the synthesis.',
  ],
])('refuses %j', (props, message) => {
  expect(() => new ExistingSecretPostgres(chart(), 'pg', { host: 'db', secretName: 'login', ...props })).toThrow(
    new Error(message),
  );
});

test('refuses a bad key of a whole address', () => {
  expect(() =>
    ExistingSecretPostgres.fromConnectionSecret(chart(), 'pg', { secretName: 'login', hostKey: 'h/t' }),
  ).toThrow(
    new Error(
      '[chart/pg] `hostKey` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "h/t".',
    ),
  );
});
