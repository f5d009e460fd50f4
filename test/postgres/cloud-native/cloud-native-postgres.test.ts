import { Duration, Size, Testing } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import {
  CloudNativeDurability,
  CloudNativePostgres,
  type CloudNativePostgresProps,
  PoolMode,
  PostgresTls,
} from 'cdk8s-mlflow';

import { chart, containerOf, env, type Manifest, only, server } from '../../support/synth';

function synth(props: CloudNativePostgresProps = {}): Manifest[] {
  const scope = chart();
  new CloudNativePostgres(scope, 'postgres', props);
  return Testing.synth(scope);
}

/** The pod of a server on it. */
function mlflowPod(props: CloudNativePostgresProps = {}): Manifest {
  const scope = chart();
  server(scope, { backend: new CloudNativePostgres(scope, 'postgres', props) });
  return only(Testing.synth(scope), 'Deployment').spec.template.spec;
}

const labels = {
  'app.kubernetes.io/component': 'cluster',
  'app.kubernetes.io/instance': 'postgres',
  'app.kubernetes.io/managed-by': 'cdk8s',
  'app.kubernetes.io/name': 'postgresql',
};

test('makes a cluster of three, and nothing else', () => {
  expect(synth()).toEqual([
    {
      apiVersion: 'postgresql.cnpg.io/v1',
      kind: 'Cluster',
      metadata: { name: 'postgres', labels },
      spec: {
        instances: 3,
        enableSuperuserAccess: false,
        bootstrap: { initdb: { database: 'mlflow', owner: 'mlflow' } },
        postgresql: { parameters: { max_connections: '100' } },
        storage: { size: '10Gi' },
        resources: { requests: { cpu: '250m', memory: '512Mi' }, limits: { cpu: '2', memory: '1024Mi' } },
        smartShutdownTimeout: 1,
      },
    },
  ]);
});

test('takes everything that can be set', () => {
  const { spec } = only(
    synth({
      instances: 2,
      imageName: 'registry.example.com/postgresql:17.5',
      imagePullSecrets: ['regcred'],
      database: 'tracking',
      owner: 'me',
      maxConnections: 300,
      settings: { shared_buffers: '1GB', 'pg_stat_statements.max': '10000' },
      storage: { size: Size.gibibytes(50), storageClassName: 'fast' },
      walStorage: { size: Size.gibibytes(5) },
      resources: { cpu: { request: Cpu.units(1) }, memory: { limit: Size.gibibytes(4) } },
      plugins: [{ name: 'backup', isWalArchiver: true, parameters: { barmanObjectName: 'store' } }, { name: 'other' }],
    }),
    'Cluster',
  );
  expect(spec).toEqual({
    instances: 2,
    imageName: 'registry.example.com/postgresql:17.5',
    imagePullSecrets: [{ name: 'regcred' }],
    enableSuperuserAccess: false,
    bootstrap: { initdb: { database: 'tracking', owner: 'me' } },
    postgresql: {
      parameters: { max_connections: '300', shared_buffers: '1GB', 'pg_stat_statements.max': '10000' },
    },
    storage: { size: '50Gi', storageClass: 'fast' },
    walStorage: { size: '5Gi' },
    resources: { requests: { cpu: '1' }, limits: { memory: '4096Mi' } },
    smartShutdownTimeout: 1,
    plugins: [
      { name: 'backup', enabled: true, isWALArchiver: true, parameters: { barmanObjectName: 'store' } },
      { name: 'other', enabled: true, isWALArchiver: false },
    ],
  });
});

test('connects by the names that the operator publishes, and verifies its certificate', () => {
  const pod = mlflowPod();
  expect(env(containerOf(pod, 'mlflow'))).toMatchObject({
    PGHOST: 'postgres-rw',
    PGPORT: '5432',
    PGDATABASE: 'mlflow',
    PGUSER: { secretKeyRef: { key: 'username', name: 'postgres-app' } },
    PGPASSWORD: { secretKeyRef: { key: 'password', name: 'postgres-app' } },
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: '/etc/postgres-tls/ca/ca.crt',
  });
  expect(pod.volumes).toContainEqual({
    name: 'postgres-tls-ca',
    secret: { secretName: 'postgres-ca', items: [{ key: 'ca.crt', path: 'ca.crt', mode: 0o440 }] },
  });
});

test('trusts another certificate if told', () => {
  expect(env(containerOf(mlflowPod({ tls: PostgresTls.REQUIRE }), 'mlflow'))).toMatchObject({ PGSSLMODE: 'require' });
});

test.each([
  [3, 'postgres-ro'],
  [1, undefined],
])('of %d instances, the standbys are %s', (instances, host) => {
  const { connection } = new CloudNativePostgres(chart(), 'postgres', { instances });
  expect(connection.readHost?.value).toBe(host);
});

test('offers its connections', () => {
  const { connection, pooler } = new CloudNativePostgres(chart(), 'postgres', { maxConnections: 42 });
  expect([connection.maxConnections, connection.bypass, pooler]).toEqual([42, undefined, undefined]);
});

test('a pooler of the operator, with a name that is in the certificate', () => {
  const manifests = synth({ pooler: {} });
  expect(manifests.map((m) => `${m.kind}/${m.metadata.name}`)).toEqual([
    'Cluster/postgres',
    'PodDisruptionBudget/postgres-pooler-rw',
    'Pooler/postgres-pooler-rw',
  ]);
  expect(only(manifests, 'Cluster').spec.certificates).toEqual({ serverAltDNSNames: ['postgres-pooler-rw'] });
  const selector = { matchLabels: { 'cnpg.io/poolerName': 'postgres-pooler-rw' } };
  expect(only(manifests, 'PodDisruptionBudget').spec.selector).toEqual(selector);
  const spread = { labelSelector: selector, maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' };
  expect(only(manifests, 'Pooler').spec).toEqual({
    cluster: { name: 'postgres' },
    type: 'rw',
    instances: 2,
    pgbouncer: {
      poolMode: 'transaction',
      parameters: {
        default_pool_size: '31',
        reserve_pool_size: '0',
        max_client_conn: '1000',
        query_wait_timeout: '30',
        server_login_retry: '0.5',
        server_connect_timeout: '5',
        tcp_keepidle: '30',
        tcp_keepintvl: '10',
        tcp_keepcnt: '3',
        tcp_user_timeout: '20000',
      },
    },
    template: {
      spec: {
        containers: [
          {
            name: 'pgbouncer',
            resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
          },
        ],
        topologySpreadConstraints: [
          { ...spread, topologyKey: 'kubernetes.io/hostname' },
          { ...spread, topologyKey: 'topology.kubernetes.io/zone' },
        ],
      },
    },
  });
});

test('a pooler takes its sizes and settings', () => {
  const pooler = {
    instances: 4,
    poolMode: PoolMode.SESSION,
    defaultPoolSize: 5,
    reservePoolSize: 2,
    maxClientConnections: 50,
    settings: { query_wait_timeout: '7' },
    resources: { cpu: { limit: Cpu.millis(300) } },
  };
  const { spec } = only(synth({ pooler }), 'Pooler');
  expect(spec).toMatchObject({
    instances: 4,
    pgbouncer: {
      poolMode: 'session',
      parameters: {
        default_pool_size: '5',
        reserve_pool_size: '2',
        max_client_conn: '50',
        query_wait_timeout: '7',
        server_login_retry: '0.5',
      },
    },
  });
  expect(spec.template.spec.containers[0].resources).toEqual({ requests: {}, limits: { cpu: '300m' } });
});

test('the server goes through the pooler, migrations around it', () => {
  const pod = mlflowPod({ pooler: {} });
  const hosts = ['wait-for-database', 'init-mlflow', 'mlflow'].map((name) => env(containerOf(pod, name)).PGHOST);
  expect(hosts).toEqual(['postgres-pooler-rw', 'postgres-rw', 'postgres-pooler-rw']);
});

test('through the pooler there are the clients of all its pods', () => {
  const { connection } = new CloudNativePostgres(chart(), 'postgres', { pooler: { maxClientConnections: 300 } });
  expect([connection.maxConnections, connection.bypass?.maxConnections]).toEqual([600, 100]);
});

test.each([
  [{}, { method: 'any', number: 1, dataDurability: 'required', failoverQuorum: true }],
  [
    { standbys: 2, durability: CloudNativeDurability.PREFERRED },
    { method: 'any', number: 2, dataDurability: 'preferred', failoverQuorum: true },
  ],
])('synchronous replication: %j', (synchronousReplication, synchronous) => {
  expect(only(synth({ synchronousReplication }), 'Cluster').spec.postgresql.synchronous).toEqual(synchronous);
});

test('a password for the superuser', () => {
  expect(only(synth({ enableSuperuserAccess: true }), 'Cluster').spec.enableSuperuserAccess).toBe(true);
});

test("a PodMonitor of the operator's metrics", () => {
  const podMonitor = { labels: { release: 'prometheus' }, interval: Duration.seconds(15) };
  expect(only(synth({ podMonitor }), 'PodMonitor')).toEqual({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: {
      name: 'postgres',
      labels: { ...labels, 'app.kubernetes.io/component': 'metrics', release: 'prometheus' },
    },
    spec: {
      selector: { matchLabels: { 'cnpg.io/cluster': 'postgres' } },
      podMetricsEndpoints: [{ port: 'metrics', interval: '15s' }],
    },
  });
});

test.each<CloudNativePostgresProps>([
  {
    settings: { shared_buffers: '512MB', max_wal_size: '4GB', min_wal_size: '1GB' },
    walStorage: { size: Size.gibibytes(5) },
  },
  { settings: { shared_buffers: '2GB' }, resources: { memory: { request: Size.gibibytes(2) } } },
  { settings: { shared_buffers: '8GB' }, resources: {} },
  { imageName: `ghcr.io/cloudnative-pg/postgresql:18.1-system-trixie@sha256:${'0'.repeat(64)}` },
  { imageName: 'registry.example.com:5000/postgresql:18' },
  { owner: 'pgowner', database: 'postgres2' },
  { pooler: { settings: { server_reset_query: '', query_wait_timeout: '0.5', verbose: '1' } } },
])('%#: accepts %j', (props) => {
  expect(() => synth(props)).not.toThrow();
});

test.each<[CloudNativePostgresProps, string]>([
  [{ instances: 0 }, '`instances` must be a whole number from 1, got 0.'],
  [{ storage: { size: Size.mebibytes(512) } }, '`storage.size` must be a whole number of GiB from 1, got 0.5.'],
  [{ walStorage: { size: Size.gibibytes(0) } }, '`walStorage.size` must be a whole number of GiB from 1, got 0.'],
  [{ database: 'x'.repeat(64) }, `\`database\` must have 1 to 63 bytes, got "${'x'.repeat(64)}".`],
  [
    { owner: 'postgres' },
    '`owner` must be a role other than the superuser, got "postgres". The operator gives the superuser no password.',
  ],
  ...['postgres', 'template0', 'template1'].map((database): [CloudNativePostgresProps, string] => [
    { database },
    `\`database\` must be another than those that PostgreSQL comes with, got "${database}".`,
  ]),
  ...['pg_monitor', 'streaming_replica', 'cnpg_pooler_pgbouncer', 'cnpg_mlflow', 'public', 'none'].map(
    (owner): [CloudNativePostgresProps, string] => [
      { owner },
      `\`owner\` must not be a role of PostgreSQL or of the operator, got "${owner}".`,
    ],
  ),
  ...[`ghcr.io/cloudnative-pg/postgresql@sha256:${'0'.repeat(64)}`, 'ghcr.io/cloudnative-pg/postgresql:latest'].map(
    (imageName): [CloudNativePostgresProps, string] => [
      { imageName },
      `\`imageName\` must have a tag that begins with the version of PostgreSQL, such as 18.1, by which the operator recognizes upgrades, got "${imageName}". A digest may follow the tag.`,
    ],
  ),
  [
    { settings: { port: '5433', work_mem: '8MB', ssl: 'off' } },
    '`settings` must not have settings that the operator refuses, got "port, ssl". Leave them out.',
  ],
  [
    { settings: { sharde_buffers: '1GB' } },
    '`settings` must have names of settings of PostgreSQL 14 to 18, got "sharde_buffers". Did you mean shared_buffers?',
  ],
  [
    { settings: { innodb_buffer_pool_size: '1GB' } },
    '`settings` must have names of settings of PostgreSQL 14 to 18, got "innodb_buffer_pool_size". Those of extensions have a dot, and are not checked.',
  ],
  [
    { settings: { work_mem: ' ' } },
    '`settings.work_mem` must have a value, got " ". Leave it out for the default of PostgreSQL.',
  ],
  [
    { settings: { shared_buffers: '1GB' } },
    '`settings.shared_buffers` must be at most the memory request of a server (512 MiB), got "1GB". Lower it, or raise `resources`.',
  ],
  [
    { settings: { shared_buffers: '25%' } },
    '`settings.shared_buffers` must be a size with the unit kB, MB, GB or TB, got "25%".',
  ],
  [
    { settings: { max_wal_size: '5 GB' }, walStorage: { size: Size.gibibytes(5) } },
    '`settings.max_wal_size` must be less than `walStorage.size` (5 GiB), got "5 GB". Lower it, or enlarge the volume.',
  ],
  [
    { settings: { max_wal_size: '64MB' } },
    '`settings.min_wal_size` must be less than max_wal_size (1GB by default), got "80MB". Raise max_wal_size, or lower min_wal_size.',
  ],
  [
    { pooler: { settings: { query_wait_timeout: 'many' } } },
    '`pooler.settings.query_wait_timeout` must be a number without a unit, got "many".',
  ],
  [
    { pooler: { settings: { listen_port: '1', unknown: '2' } } },
    '`pooler.settings` must not have settings that the operator refuses, got "listen_port, unknown". Leave them out.',
  ],
  [{ owner: 'x'.repeat(64) }, `\`owner\` must have 1 to 63 bytes, got "${'x'.repeat(64)}".`],
  [
    { instances: 2, synchronousReplication: { standbys: 2 } },
    '`synchronousReplication.standbys` must be less than `instances` (2), one of which is the primary, got 2.',
  ],
  [
    { instances: 1, synchronousReplication: {} },
    '`synchronousReplication.standbys` must be less than `instances` (1), one of which is the primary, got 1.',
  ],
  [
    { synchronousReplication: { standbys: 0 } },
    '`synchronousReplication.standbys` must be a whole number from 1, got 0.',
  ],
  [
    { podMonitor: { interval: Duration.millis(1500) } },
    '`podMonitor.interval` must be a whole number of seconds from 1, got 1.5.',
  ],
  [
    { owner: '' },
    '`owner` must be given or left out, got an empty string. If it comes from an environment variable, set that before the synthesis.',
  ],
  [{ maxConnections: 0 }, '`maxConnections` must be a whole number from 1 to 262143, got 0.'],
  [{ settings: { max_connections: '5' } }, '`settings` must not name max_connections. Use `maxConnections`.'],
  [{ settings: { 'a b': '5' } }, '`settings` must have names of settings of postgresql.conf, got "a b".'],
  [
    {
      plugins: [
        { name: 'a', isWalArchiver: true },
        { name: 'b', isWalArchiver: true },
      ],
    },
    '`plugins` must have at most one with `isWalArchiver`, got "a, b".',
  ],
  [
    { imagePullSecrets: ['A'] },
    '`imagePullSecrets` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
  ],
  [{ pooler: { instances: 0 } }, '`pooler.instances` must be a whole number from 1, got 0.'],
  [{ pooler: { defaultPoolSize: 0 } }, '`pooler.defaultPoolSize` must be a whole number from 1, got 0.'],
  [{ pooler: { reservePoolSize: -1 } }, '`pooler.reservePoolSize` must be a whole number from 0, got -1.'],
  [{ pooler: { maxClientConnections: 0 } }, '`pooler.maxClientConnections` must be a whole number from 1, got 0.'],
  [
    { pooler: { settings: { default_pool_size: '5' } } },
    '`pooler.settings` must not name default_pool_size. Use `pooler.defaultPoolSize`.',
  ],
  [
    { pooler: { settings: { pool_mode: 'session' } } },
    '`pooler.settings` must not name pool_mode. Use `pooler.poolMode`.',
  ],
  [
    { pooler: { defaultPoolSize: 60 } },
    'up to 180 connections (3 pods x 60) exceed the 94 that "postgres" offers besides a migration. Lower `pooler.defaultPoolSize`, `pooler.reservePoolSize` or the number of pods, or raise `maxConnections` of the database. The largest `pooler.defaultPoolSize` that fits is 31.',
  ],
])('%#: refuses %j', (props, message) => {
  expect(() => synth(props)).toThrow(new Error(`[chart/postgres] ${message}`));
});

test('refuses an id that cannot name a Service, and says everything at once', () => {
  expect(() => new CloudNativePostgres(chart(), 'Postgres', { instances: -1 })).toThrow(
    new Error(
      [
        '[chart/Postgres] `id` must be lower-case letters, digits and dashes, start with a letter and have at most 44 characters, got "Postgres". Kubernetes takes it as the name of the Service.',
        '[chart/Postgres] `instances` must be a whole number from 1, got -1.',
      ].join('\n'),
    ),
  );
});
