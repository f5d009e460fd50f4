import { App, Chart, Cron, Duration, Size, Testing } from 'cdk8s';
import { Cpu, EnvValue, PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import {
  Autoscaling,
  BackupLocation,
  BitnamiPasswords,
  BitnamiPostgres,
  type IPostgresBackend,
  JobExecution,
  KedaTrigger,
  MlflowAuth,
  MlflowGarbageCollection,
  MlflowServer,
  type MlflowServerProps,
  Persistence,
  PgBouncer,
  PostgresBackup,
  PostgresExporter,
  PostgresRestore,
  Rules,
  SecretKey,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { anyBackend, container, server, serverManifests } from '../support/synth';

const artifactRoot = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});
const url = SecretKey.fromSecretName('redis', 'url');
const secretKey = SecretKey.fromSecretName('keys', 'key');
const memory = (gibibytes: number): NonNullable<MlflowServerProps['resources']> => ({
  memory: { limit: Size.gibibytes(gibibytes) },
});
const oidc = MlflowAuth.oidc({
  issuerUrl: 'https://sso.example.com',
  clientId: 'mlflow',
  clientSecret: secretKey,
  sessionSecretKey: secretKey,
  database: 'mlflow',
});
const byResources = Autoscaling.byResources({ maxReplicas: 3, memoryPercent: 80 });
const keda = Autoscaling.keda({ maxReplicas: 3, triggers: [KedaTrigger.cpu(80)] });
const ingress = { hosts: ['mlflow.example.com'] };
const gateway = { hosts: ['mlflow.example.com'], gateways: [{ name: 'public' }] };

test.each<[Partial<MlflowServerProps>, string]>([
  [
    { autoscaling: byResources, artifactRoot, resources: {} },
    [
      '`autoscaling` needs `resources.cpu.request`: the autoscaler computes the usage in percent of it. Set it.',
      '[chart/mlflow] `autoscaling.memoryPercent` needs `resources.memory.request`: the autoscaler computes the usage in percent of it. Set it.',
    ].join('\n'),
  ],
  [
    { autoscaling: keda, artifactRoot, resources: memory(4) },
    '`autoscaling.triggers[0]` needs `resources.cpu.request`: the autoscaler computes the usage in percent of it. Set it.',
  ],
  [
    { auth: oidc, encryption: { passphrase: secretKey } },
    '`auth.database` must not be the database of "postgres": both store their revision in a table `alembic_version`, got "mlflow". Give another existing database on the same PostgreSQL server.',
  ],
  [
    { extraEnvVars: { MLFLOW_WEBHOOK_CACHE_TTL: EnvValue.fromValue('5') } },
    '`encryption.webhookKey` is required with webhooks, which MLFLOW_WEBHOOK_CACHE_TTL in `extraEnvVars` sets up. Otherwise the server refuses webhooks that have a secret. Pass SecretKey.fromSecretName(name, key).',
  ],
])('%#: what cannot work is an error', (props, message) => {
  expect(() => serverManifests(props)).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test('a limit is a request, too', () => {
  const resources = { cpu: { limit: Cpu.units(1) }, memory: { limit: Size.gibibytes(2) } };
  expect(() => serverManifests({ autoscaling: byResources, artifactRoot, resources })).not.toThrow();
});

interface Made {
  readonly root: App;
  readonly chart: Chart;
  readonly backend: IPostgresBackend;
  readonly synth: () => void;
}

function app(namespace?: string): Made {
  const root = new App({ outdir: Testing.app().outdir });
  const chart = new Chart(root, 'chart', { namespace });
  return {
    root,
    chart,
    backend: anyBackend(chart),
    synth: () => {
      root.synth();
    },
  };
}

const failed = (text: string): Error => new Error(`Validation failed with the following errors:\n  ${text}`);

test.each<[Partial<MlflowServerProps>, string, string]>([
  [
    { workers: 8, resources: memory(2) },
    'memory-fits-processes',
    '`resources.memory.limit` must be at least 2370 MiB for 8 workers, got 2048 MiB: the kernel ends processes above the limit. Raise it, lower `workers`. The most `workers` that fit are 6.',
  ],
  [
    { jobExecution: JobExecution.local(), resources: memory(2) },
    'memory-fits-processes',
    '`resources.memory.limit` must be at least 3800 MiB for 2 workers and 8 jobs, got 2048 MiB: the kernel ends processes above the limit. Raise it, lower `workers` or `jobExecution.jobsPerType`, or leave out `jobExecution`.',
  ],
  [
    { jobExecution: JobExecution.local(), replicas: 2, artifactRoot },
    'jobs-on-one-pod',
    '`replicas` must be at most 1 with `jobExecution`, got 2: each pod has a queue and a scheduler of its own. Use JobExecution.redis() for a shared queue, or execute the jobs in a second server of one pod.',
  ],
  [
    { jobExecution: JobExecution.redis({ url }), replicas: 2, artifactRoot },
    'jobs-on-one-pod',
    '`replicas` must be at most 1 with `jobExecution.periodicTasks`, got 2: each pod schedules them. Set `periodicTasks: false`, and let a second server of one pod on the same backend and Redis schedule them.',
  ],
])('%#: what may work can be acknowledged', (props, rule, message) => {
  const { chart, backend, synth } = app();
  server(chart, { backend, ...props });
  expect(synth).toThrow(failed(`[chart/mlflow] ${rule}: ${message}`));
  Rules.of(chart).acknowledge(rule, 'Measured.');
  expect(synth).not.toThrow();
});

test.each<[Partial<MlflowServerProps>, { request: string; limit: string }]>([
  [{}, { request: '1024Mi', limit: '2048Mi' }],
  [{ workers: 6 }, { request: '1024Mi', limit: '2048Mi' }],
  [{ workers: 7 }, { request: '1536Mi', limit: '2560Mi' }],
  [{ jobExecution: JobExecution.local() }, { request: '3072Mi', limit: '4096Mi' }],
])('%#: the default memory fits the processes', (props, { request, limit }) => {
  const { resources } = container(serverManifests(props), 'mlflow');
  expect([resources.requests.memory, resources.limits.memory]).toEqual([request, limit]);
});

test('a shared queue serves several pods', () => {
  const { chart, backend, synth } = app();
  server(chart, {
    backend,
    jobExecution: JobExecution.redis({ url, periodicTasks: false }),
    replicas: 2,
    artifactRoot,
  });
  expect(synth).not.toThrow();
});

test('the processes of jobs open connections, too', () => {
  const { chart, synth } = app();
  const passwords = BitnamiPasswords.fromLiterals({ password: 'password' });
  const backend = new BitnamiPostgres(chart, 'db', { username: 'mlflow', passwords, maxConnections: 50 });
  server(chart, { backend, jobExecution: JobExecution.local() });
  expect(synth).toThrow(
    failed(
      '[chart/mlflow] pool-fits-database: up to 69 connections (1 pod x 69 with 2 workers and 8 jobs) exceed the 47 that "db" offers. Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between. The largest pool that fits is 4 + 1.',
    ),
  );
});

test('no server runs beside a restore', () => {
  const { chart, backend, synth } = app();
  const source = BackupLocation.volume(Persistence.existingClaim('dumps'));
  new PostgresRestore(chart, 'restore', { backend, source });
  server(chart, { backend });
  expect(synth).toThrow(
    failed(
      '[chart/restore] no-server-while-restoring: no server may run on "postgres" during a restore, got chart/mlflow with `replicas` 1. Set its `replicas` to 0 for the restore, and remove the restore from the app afterwards.',
    ),
  );
});

test.each<[string, Partial<MlflowServerProps>, string]>([
  ['ingress', { ingress }, 'mlflow.example.com/'],
  ['httpRoute', { httpRoute: { ...gateway, path: '/a' }, staticPrefix: '/a' }, 'mlflow.example.com/a/'],
])('two servers have no %s in common', (prop, props, url) => {
  const { chart, backend, synth } = app();
  server(chart, { backend, ...props });
  server(chart, { backend, ...props }, 'second');
  expect(synth).toThrow(
    failed(
      `[chart/second] unique-route: \`${prop}\` must have a host and path of its own, got ${url}, which is routed to chart/mlflow too: only one of them would get the requests. Change \`${prop}.hosts\`, or set another \`staticPrefix\`.`,
    ),
  );
  Rules.of(chart).acknowledge('unique-route', 'A canary.');
  expect(synth).not.toThrow();
});

test('nor in two namespaces; another path or class is another route', () => {
  const { root, chart, backend, synth } = app('first');
  server(chart, { backend, ingress });
  server(chart, { backend, ingress, staticPrefix: '/b' }, 'b');
  server(chart, { backend, ingress: { ...ingress, className: 'internal' } }, 'c');
  expect(synth).not.toThrow();
  const second = new Chart(root, 'other', { namespace: 'second' });
  server(second, { ingress });
  expect(synth).toThrow(/^Validation failed with the following errors:\n {2}\[other\/mlflow\] unique-route: /);
});

test("the parts of the guide's option 2 fit together with their defaults", () => {
  const { chart, synth } = app();
  const postgres = new BitnamiPostgres(chart, 'db', {
    passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'password' }),
  });
  const pooler = new PgBouncer(chart, 'pgbouncer', { backend: postgres });
  const mlflow = new MlflowServer(chart, 'mlflow', { backend: pooler });
  const target = BackupLocation.volume(Persistence.newClaim());
  new PostgresBackup(chart, 'backup', { backend: postgres, schedule: Cron.daily(), target });
  new MlflowGarbageCollection(chart, 'gc', {
    server: mlflow,
    schedule: Cron.daily(),
    olderThan: Duration.days(30),
  });
  new PostgresExporter(chart, 'exporter', { backend: postgres });
  expect(synth).not.toThrow();
  expect(pooler.connection.serverConnections).toBe(29);
});

test('with a given size, the error names the one that fits', () => {
  const { chart, synth } = app();
  const postgres = new BitnamiPostgres(chart, 'db', {
    passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'password' }),
  });
  new PgBouncer(chart, 'pgbouncer', { backend: postgres, defaultPoolSize: 31 });
  new PostgresExporter(chart, 'exporter', { backend: postgres });
  new PostgresExporter(chart, 'second', { backend: postgres });
  new PostgresExporter(chart, 'third', { backend: postgres });
  expect(synth).toThrow(
    failed(
      '[chart/third] pool-fits-database: up to 99 connections (pgbouncer: 3 pods x 31; exporter: 2 for metrics; second: 2 for metrics; third: 2 for metrics) exceed the 97 that "db" offers. Raise `maxConnections` of the database, or lower `defaultPoolSize` of its poolers. The largest `defaultPoolSize` that fits is 29.',
    ),
  );
});
