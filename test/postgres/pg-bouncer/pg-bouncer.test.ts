import { Testing } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  ExistingSecretPostgres,
  ExternalPostgres,
  FileSource,
  type IPostgresBackend,
  PgBouncer,
  type PgBouncerProps,
  PoolMode,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { chart, containerOf, env, type Manifest, only, podOf, server } from '../../support/synth';
import { configOf, pgBouncerConfig, pgBouncerManifests } from '../../support/pg-bouncer';

type Props = Partial<PgBouncerProps>;

const plain = (scope: Construct): IPostgresBackend =>
  new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'login' });

const limited = (scope: Construct): IPostgresBackend =>
  new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'login', maxConnections: 100 });

test('makes what a pooler needs, under its id', () => {
  expect(pgBouncerManifests().map((m) => `${m.kind}/${m.metadata.name.replace(/[0-9a-f]{8}$/, '…')}`)).toEqual([
    'ConfigMap/pgbouncer-config-…',
    'ConfigMap/chart-scripts-…',
    'ServiceAccount/pgbouncer',
    'Deployment/pgbouncer',
    'Service/pgbouncer',
    'PodDisruptionBudget/pgbouncer',
    'NetworkPolicy/pgbouncer',
  ]);
});

test('its configuration names no login and no place', () => {
  expect(configOf(pgBouncerManifests()).data['pgbouncer.ini']).toBe(`%include /run/pgbouncer/databases.ini

[pgbouncer]
listen_addr = *
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /run/pgbouncer/userlist.txt
ignore_startup_parameters = extra_float_digits,options
pool_mode = transaction
default_pool_size = 60
reserve_pool_size = 0
max_client_conn = 1000
server_tls_sslmode = require
client_tls_sslmode = disable
query_wait_timeout = 30
server_login_retry = 0.5
server_connect_timeout = 5
tcp_keepidle = 30
tcp_keepintvl = 10
tcp_keepcnt = 3
tcp_user_timeout = 20000
log_connections = 0
log_disconnections = 0
`);
});

test('lets in whom the database knows, where it is asked', () => {
  const authQuery = 'SELECT name, hash FROM lookup($1)';
  expect(pgBouncerConfig({ authQuery, maxDatabaseConnections: 31 })).toMatchObject({ auth_query: authQuery });
  expect(pgBouncerConfig({})).not.toHaveProperty('auth_query');
  const asks = (props: Partial<PgBouncerProps>): Manifest =>
    env(podOf(pgBouncerManifests(props)).initContainers[0]).PGBOUNCER_ASK_DATABASE;
  expect(asks({ authQuery, maxDatabaseConnections: 31 })).toBe('true');
  expect(asks({})).toBeUndefined();
});

test('takes every size, and further settings over its own defaults', () => {
  const settings = { query_wait_timeout: '5', tcp_keepidle: '60' };
  const sizes = {
    defaultPoolSize: 7,
    reservePoolSize: 3,
    maxClientConnections: 50,
    maxDatabaseConnections: 9,
    poolMode: PoolMode.SESSION,
  };
  expect(pgBouncerConfig({ ...sizes, settings })).toMatchObject({
    default_pool_size: '7',
    reserve_pool_size: '3',
    max_client_conn: '50',
    max_db_connections: '9',
    pool_mode: 'session',
    query_wait_timeout: '5',
    tcp_keepidle: '60',
  });
});

test('a changed setting replaces the pods, by the name of what they mount', () => {
  const names = [pgBouncerManifests(), pgBouncerManifests({ poolMode: PoolMode.SESSION })].map((manifests) => {
    const { name } = configOf(manifests).metadata;
    expect(podOf(manifests).volumes).toContainEqual({ name: 'config', configMap: { name } });
    expect(configOf(manifests).immutable).toBe(true);
    return name;
  });
  expect(new Set(names).size).toBe(2);
});

test('a changed password that is known replaces the pods, as those of the server', () => {
  const scope = chart();
  const postgres = new ExternalPostgres(scope, 'postgres', { host: 'db', user: 'u', password: 'secret' });
  const backend = new PgBouncer(scope, 'pgbouncer', { backend: postgres });
  server(scope, { backend });
  const manifests = Testing.synth(scope);
  const marks = ['pgbouncer', 'mlflow'].map(
    (name) =>
      only(manifests, 'Deployment', name).spec.template.metadata.annotations['cdk8s-mlflow/credentials-revision'],
  );
  expect(marks).toEqual([postgres.connection.credentials.revision, postgres.connection.credentials.revision]);
});

test('the init container writes the login from the Secret into memory, with the image of the server', () => {
  const scope = chart();
  const backend = new PgBouncer(scope, 'pgbouncer', { backend: plain(scope) });
  server(scope, { backend });
  const manifests = Testing.synth(scope);
  const pod = only(manifests, 'Deployment', 'pgbouncer').spec.template.spec;
  const init = containerOf(pod, 'write-userlist');
  expect(init.command).toEqual(['python', '/opt/mlflow/scripts/write_userlist.py']);
  expect(env(init)).toEqual({
    PGHOST: 'db',
    PGPORT: '5432',
    PGDATABASE: 'mlflow',
    PGUSER: { secretKeyRef: { key: 'username', name: 'login' } },
    PGPASSWORD: { secretKeyRef: { key: 'password', name: 'login' } },
    PGBOUNCER_FOLDER: '/run/pgbouncer',
  });
  expect(init.image).toBe(containerOf(only(manifests, 'Deployment', 'mlflow').spec.template.spec, 'mlflow').image);
  expect(pod.volumes).toContainEqual({ name: 'secrets', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } });
  expect(containerOf(pod, 'pgbouncer')).not.toHaveProperty('env');
  expect(Object.keys(configOf(manifests).data)).toEqual(['pgbouncer.ini']);
  const scripts = manifests.filter(({ data }) => data?.['write_userlist.py'] !== undefined);
  expect(Object.keys(only(scripts, 'ConfigMap').data)).toEqual([
    'exit_codes.py',
    'init_container.py',
    'log_format.py',
    'write_userlist.py',
  ]);
});

test('an address in a Secret goes the same way', () => {
  const manifests = pgBouncerManifests({}, (scope) =>
    ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', { secretName: 'cluster-app' }),
  );
  expect(env(containerOf(podOf(manifests), 'write-userlist'))).toMatchObject({
    PGHOST: { secretKeyRef: { key: 'host', name: 'cluster-app' } },
    PGPORT: { secretKeyRef: { key: 'port', name: 'cluster-app' } },
    PGDATABASE: { secretKeyRef: { key: 'dbname', name: 'cluster-app' } },
  });
});

test('the pods are two, spread, restricted, and drain before they go', () => {
  const { spec } = only(pgBouncerManifests(), 'Deployment');
  expect(spec.replicas).toBe(2);
  expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  const pod = spec.template.spec;
  expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
  expect(pod.topologySpreadConstraints.map((c: Manifest) => [c.topologyKey, c.labelSelector.matchLabels])).toEqual([
    ['kubernetes.io/hostname', spec.selector.matchLabels],
    ['topology.kubernetes.io/zone', spec.selector.matchLabels],
  ]);
  for (const container of [...pod.containers, ...pod.initContainers]) {
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, runAsUser: 1001 });
    expect(container.resources).toMatchObject({ limits: expect.anything(), requests: expect.anything() });
  }
  const pgbouncer = containerOf(pod, 'pgbouncer');
  expect(pgbouncer.command).toEqual(['pgbouncer', '/etc/pgbouncer/pgbouncer.ini']);
  expect(pgbouncer.lifecycle.preStop.exec.command.at(-1)).toMatch(/^sleep 5; kill -INT 1; while/);
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(5);
});

test('takes images, pull secrets, priority and a port', () => {
  const manifests = pgBouncerManifests({
    image: 'registry.example.com/pgbouncer:1',
    initImage: 'python:3.11-slim',
    imagePullSecrets: ['regcred'],
    priorityClassName: 'high',
    servicePort: 5432,
    replicas: 3,
  });
  const pod = podOf(manifests);
  expect(pod).toMatchObject({ imagePullSecrets: [{ name: 'regcred' }], priorityClassName: 'high' });
  expect(containerOf(pod, 'pgbouncer').image).toBe('registry.example.com/pgbouncer:1');
  expect(containerOf(pod, 'write-userlist').image).toBe('python:3.11-slim');
  expect(only(manifests, 'Service').spec.ports).toEqual([{ name: 'tcp-pgbouncer', port: 5432, targetPort: 6432 }]);
});

test('only clients reach it, it reaches the database, and only migrations go around it', () => {
  const scope = chart();
  const postgres = new BitnamiPostgres(scope, 'postgres', {
    passwords: BitnamiPasswords.fromSecretName('passwords'),
  });
  const backend = new PgBouncer(scope, 'pgbouncer', { backend: postgres });
  server(scope, { backend });
  const manifests = Testing.synth(scope);
  expect(only(manifests, 'NetworkPolicy', 'pgbouncer').spec.ingress).toEqual([
    {
      from: [{ podSelector: { matchLabels: { 'pgbouncer-client': 'true' } } }],
      ports: [{ port: 6432, protocol: 'TCP' }],
    },
  ]);
  const pooler = only(manifests, 'Deployment', 'pgbouncer').spec.template;
  expect(pooler.metadata.labels).toMatchObject({ 'postgres-client': 'true' });
  const mlflow = only(manifests, 'Deployment', 'mlflow').spec.template;
  expect(mlflow.metadata.labels).toMatchObject({ 'pgbouncer-client': 'true', 'postgres-client': 'true' });
  const places = ['wait-for-database', 'init-mlflow', 'mlflow'].map((name) => {
    const { PGHOST, PGPORT, PGSSLMODE } = env(containerOf(mlflow.spec, name));
    return [PGHOST, PGPORT, PGSSLMODE];
  });
  expect(places).toEqual([
    ['pgbouncer', '6432', 'disable'],
    ['postgres', '5432', 'prefer'],
    ['pgbouncer', '6432', 'disable'],
  ]);
});

test('one in front of another still leaves the way straight to the database', () => {
  const scope = chart();
  const postgres = plain(scope);
  const inner = new PgBouncer(scope, 'inner', { backend: postgres });
  const outer = new PgBouncer(scope, 'outer', { backend: inner });
  expect(outer.connection.bypass).toBe(postgres.connection);
});

test('offers the clients of all its pods as its connections', () => {
  const scope = chart();
  const { connection } = new PgBouncer(scope, 'pgbouncer', { backend: plain(scope), replicas: 3 });
  expect(connection.maxConnections).toBe(3000);
});

test.each<[string, Props, string]>([
  ['what fits a database of 100', {}, '31'],
  ['less with a reserve', { reservePoolSize: 5 }, '26'],
  ['less for more pods', { replicas: 4 }, '18'],
])('its pool is by default %s', (_, props, size) => {
  expect(pgBouncerConfig(props, limited).default_pool_size).toBe(size);
});

const error = (...lines: string[]) => new Error(lines.map((line) => `[chart/pgbouncer] ${line}`).join('\n'));

test.each<[Props, string]>([
  [
    { defaultPoolSize: 33 },
    'up to 99 connections (3 pods x 33) exceed the 94 that "postgres" offers besides a migration. Lower `defaultPoolSize`, `reservePoolSize` or the number of pods, or raise `maxConnections` of the database. The largest `defaultPoolSize` that fits is 31.',
  ],
  [
    { defaultPoolSize: 30, reservePoolSize: 10 },
    'up to 120 connections (3 pods x 40) exceed the 94 that "postgres" offers besides a migration. Lower `defaultPoolSize`, `reservePoolSize` or the number of pods, or raise `maxConnections` of the database. The largest `defaultPoolSize` that fits is 21.',
  ],
  [
    { replicas: 100 },
    'up to 101 connections (101 pods x 1) exceed the 94 that "postgres" offers besides a migration. Lower `defaultPoolSize`, `reservePoolSize` or the number of pods, or raise `maxConnections` of the database.',
  ],
])('refuses what the database does not take: %j', (props, message) => {
  expect(() => pgBouncerManifests(props, limited)).toThrow(error(message));
});

test('a limit for each database counts, too', () => {
  expect(() => pgBouncerManifests({ defaultPoolSize: 100, maxDatabaseConnections: 31 }, limited)).not.toThrow();
});

test.each<[Props, string]>([
  [{ replicas: 0 }, '`replicas` must be a whole number from 1, got 0.'],
  [{ defaultPoolSize: 0 }, '`defaultPoolSize` must be a whole number from 1, got 0.'],
  [{ reservePoolSize: -1 }, '`reservePoolSize` must be a whole number from 0, got -1.'],
  [{ maxClientConnections: 1.5 }, '`maxClientConnections` must be a whole number from 1, got 1.5.'],
  [{ maxDatabaseConnections: 0 }, '`maxDatabaseConnections` must be a whole number from 1, got 0.'],
  [{ servicePort: 0 }, '`servicePort` must be a whole number from 1 to 65535, got 0.'],
  [
    { isolation: { dns: { peers: [] } } },
    '`isolation.dns.peers` must name at least one peer, got none. Leave it out for any address.',
  ],
  [{ settings: { pool_mode: 'session' } }, '`settings` must not name pool_mode. Use `poolMode`.'],
  [
    { settings: { server_tls_sslmode: 'disable' } },
    '`settings` must not name server_tls_sslmode. Use `backend.connection.tls`.',
  ],
  [{ settings: { auth_user: 'a' } }, '`settings` must not name auth_user. Use `authQuery`.'],
  [
    { authQuery: 'SELECT 1', maxDatabaseConnections: 20 },
    '`authQuery` must be one line with $1 for the name of the user, got "SELECT 1".',
  ],
  [
    { authQuery: 'SELECT a, b FROM\nc($1)', maxDatabaseConnections: 20 },
    '`authQuery` must be one line with $1 for the name of the user, got "SELECT a, b FROM\\nc($1)".',
  ],
  [
    { authQuery: 'SELECT a, b FROM c($1)' },
    '`maxDatabaseConnections` must be set with `authQuery`: each user gets a pool of its own. Give at least `defaultPoolSize`.',
  ],
  [{ settings: { auth_type: 'trust' } }, '`settings` must not name auth_type. The library sets it itself.'],
  [{ settings: { '[users]': '' } }, '`settings` must have names of settings of pgbouncer.ini, got "[users]".'],
  [
    { settings: { stats_period: '1\nauth_type = any' } },
    '`settings.stats_period` must be one line, got "1\\nauth_type = any".',
  ],
  [
    {
      clientTls: {
        certificate: FileSource.fromSecret('pooler-tls', 'tls.crt'),
        privateKey: FileSource.fromSecret('Pooler', 'tls.key'),
      },
    },
    '`clientTls.privateKey` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Pooler".',
  ],
  [
    { imagePullSecrets: [''] },
    '`imagePullSecrets[0]` must be given, got an empty string. If it comes from an environment variable, set that before the synthesis.',
  ],
])('refuses %j', (props, message) => {
  expect(() => pgBouncerManifests(props)).toThrow(error(message));
});

test('refuses a list of hosts of which one takes writes, and says everything at once', () => {
  const failover = (scope: Construct) =>
    new ExistingSecretPostgres(scope, 'postgres', { host: 'a', failoverHosts: ['b'], secretName: 'login' });
  expect(() => pgBouncerManifests({ replicas: 0 }, failover)).toThrow(
    error(
      '`replicas` must be a whole number from 1, got 0.',
      '`backend` must not be a list of hosts of which one accepts writes: PgBouncer stays at the first that answers, even a standby. Give one host that follows the primary: a Service, a DNS name or a proxy.',
    ),
  );
});

test('refuses an id that cannot name a Service', () => {
  const scope = chart();
  expect(() => new PgBouncer(scope, 'PgBouncer', { backend: plain(scope) })).toThrow(
    new Error(
      '[chart/PgBouncer] `id` must be lower-case letters, digits and dashes, start with a letter and have at most 44 characters, got "PgBouncer". Kubernetes takes it as the name of the Service.',
    ),
  );
});
