import { Duration, Testing } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  CloudSqlLogin,
  CloudSqlPostgres,
  type ConnectionOptions,
  DatabaseBootstrap,
  ExistingSecretPostgres,
  ExternalPostgres,
  type IPostgresBackend,
  PgBouncer,
  PostgresCredentials,
  PostgresTls,
  RdsPostgres,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { chart, type Manifest, only, server } from '../../support/synth';

type Make = (scope: Construct, options: ConnectionOptions) => IPostgresBackend;

const HOST = 'db.abc.eu-west-1.rds.amazonaws.com';

const external: Make = (scope, options) =>
  new ExternalPostgres(scope, 'pg', { host: 'db', user: 'u', password: 'p', ...options });

const BACKENDS: Record<string, Make> = {
  ExternalPostgres: external,
  ExistingSecretPostgres: (scope, options) =>
    new ExistingSecretPostgres(scope, 'pg', { host: 'db', secretName: 'login', ...options }),
  'ExistingSecretPostgres.fromConnectionSecret': (scope, options) =>
    ExistingSecretPostgres.fromConnectionSecret(scope, 'pg', { secretName: 'login', ...options }),
  BitnamiPostgres: (scope, options) =>
    new BitnamiPostgres(scope, 'pg', { passwords: BitnamiPasswords.fromSecretName('passwords'), ...options }),
  CloudNativePostgres: (scope, options) => new CloudNativePostgres(scope, 'pg', options),
  RdsPostgres: (scope, options) =>
    new RdsPostgres(scope, 'pg', { host: HOST, user: 'u', tls: PostgresTls.REQUIRE, ...options }),
  CloudSqlPostgres: (scope, { parameters }) =>
    new CloudSqlPostgres(scope, 'pg', {
      instanceConnectionName: 'shop:europe-west1:db',
      login: CloudSqlLogin.iam('mlflow@shop.iam'),
      parameters,
    }),
};

/** The service files that pods of a chart mount, by the name of the volume. */
function serviceFiles(scope: ReturnType<typeof chart>): Record<string, string> {
  const manifests: Manifest[] = Testing.synth(scope);
  const volumes: Manifest[] = manifests.flatMap(({ spec }) => spec?.template?.spec?.volumes ?? []);
  return Object.fromEntries(
    volumes
      .filter(({ name }) => name.endsWith('-service'))
      .map(({ name, configMap }) => [name, only(manifests, 'ConfigMap', configMap.name).data['pg_service.conf']]),
  );
}

const DEFAULT = `[mlflow]
keepalives_idle=30
keepalives_interval=10
keepalives_count=3
tcp_user_timeout=20000
`;
const parameters = { connect_timeout: '15', require_auth: 'scram-sha-256' };
const FURTHER = `${DEFAULT}connect_timeout=15\nrequire_auth=scram-sha-256\n`;

test.each(Object.entries(BACKENDS))('%s: parameters are in the service file', (_, make) => {
  const scope = chart();
  server(scope, { backend: make(scope, { parameters }) });
  expect(serviceFiles(scope)).toEqual({ 'postgres-service': FURTHER });
});

test.each<[string, (scope: Construct) => IPostgresBackend]>([
  ['PgBouncer', (scope) => new PgBouncer(scope, 'pooler', { backend: external(scope, { parameters }) })],
  ['the operator', (scope) => new CloudNativePostgres(scope, 'pg', { parameters, pooler: {} })],
])('behind a pooler of %s, parameters apply to what goes around it', (_, make) => {
  const scope = chart();
  server(scope, { backend: make(scope) });
  expect(serviceFiles(scope)).toEqual({
    'postgres-service': DEFAULT,
    'postgres-direct-service': FURTHER,
  });
});

test('the bootstrap connects as everything else does', () => {
  const scope = chart();
  const options = { parameters, tcpKeepalive: { userTimeout: Duration.seconds(8) } };
  new DatabaseBootstrap(scope, 'bootstrap', {
    backend: external(scope, options),
    admin: PostgresCredentials.fromSecretName('admin'),
  });
  expect(serviceFiles(scope)).toEqual({ 'postgres-service': FURTHER.replace('20000', '8000') });
});

test.each(Object.entries(BACKENDS))('%s: names the bad parameters, all at once, with the way out', (_, make) => {
  const bad = {
    keepalives_idle: '30',
    tcp_user_timeout: '1',
    sslmode: 'require',
    host: 'db',
    sslpassword: 'secret',
    options: '-c search_path=a',
    conect_timeout: '3',
    work_mem: '1',
    connect_timeout: '3\nhost=evil',
    gssencmode: '',
  };
  expect(() => make(chart(), { parameters: bad })).toThrow(
    new Error(
      [
        '[chart/pg] `parameters` must not name keepalives_idle. Use `tcpKeepalive`.',
        '[chart/pg] `parameters` must not name tcp_user_timeout. Use `tcpKeepalive.userTimeout`.',
        '[chart/pg] `parameters` must not name sslmode. Use `tls`.',
        '[chart/pg] `parameters` must not name host. The backend sets it by props of its own.',
        '[chart/pg] `parameters` must not name sslpassword. It would be in a ConfigMap: use a key without a passphrase.',
        '[chart/pg] `parameters` must not name options. Use `schema` for the search_path. Set others for the role in PostgreSQL, which reaches pooled connections, too: ALTER ROLE … SET.',
        '[chart/pg] `parameters` must have names of parameters of libpq 17, got "conect_timeout". Did you mean connect_timeout?',
        '[chart/pg] `parameters` must have names of parameters of libpq 17, got "work_mem".',
        '[chart/pg] `parameters.connect_timeout` must be one line of at most 502 characters without spaces around it, got "3\\nhost=evil".',
        '[chart/pg] `parameters.gssencmode` must be one line of at most 502 characters without spaces around it, got an empty string.',
      ].join('\n'),
    ),
  );
});
