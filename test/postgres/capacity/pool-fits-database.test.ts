import { App, Chart, Cron, Duration, Testing } from 'cdk8s';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import {
  BackupLocation,
  ExistingSecretPostgres,
  MlflowGarbageCollection,
  MlflowServer,
  type MlflowServerProps,
  Persistence,
  PoolingProfile,
  PostgresBackup,
  PostgresExporter,
  Rules,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

const shared = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});

function synthesis(maxConnections: number | undefined, ...servers: Partial<MlflowServerProps>[]) {
  const app = new App({ outdir: Testing.app().outdir });
  const chart = new Chart(app, 'chart');
  const backend = new ExistingSecretPostgres(chart, 'postgres', { host: 'db', secretName: 'login', maxConnections });
  const made = servers.map((props, i) => new MlflowServer(chart, `mlflow-${String(i)}`, { backend, ...props }));
  return {
    app,
    backend,
    servers: made,
    synth: () => {
      app.synth();
    },
  };
}

const failed = 'Validation failed with the following errors:\n  ';

test('what does not fit is told with every factor, and what would', () => {
  expect(synthesis(100, { replicas: 3, artifactRoot: shared }).synth).toThrow(
    new Error(
      `${failed}[chart/mlflow-0] pool-fits-database: up to 176 connections (4 pods x 44 with 2 workers) exceed the 97 that "postgres" offers. Lower \`pooling\`, \`workers\` or \`replicas\`, raise \`maxConnections\`, or put a pooler between. The largest pool that fits is 5 + 1.`,
    ),
  );
});

test("the guide's numbers for high availability do not fit", () => {
  const pooling = new PoolingProfile({ poolSize: 20, maxOverflow: 30 });
  expect(synthesis(100, { pooling, workers: 4, artifactRoot: shared, replicas: 2 }).synth).toThrow(
    /up to 966 connections \(3 pods x 322 with 4 workers\) exceed the 97/,
  );
});

test('servers on one backend are added up', () => {
  expect(synthesis(100, {}, {}).synth).not.toThrow();
  expect(synthesis(100, {}, {}, { workers: 1 }).synth).toThrow(
    new Error(
      `${failed}[chart/mlflow-2] pool-fits-database: up to 111 connections (mlflow-0: 1 pod x 44 with 2 workers; mlflow-1: 1 pod x 44 with 2 workers; mlflow-2: 1 pod x 23 with 1 worker) exceed the 97 that "postgres" offers. Lower \`pooling\`, \`workers\` or \`replicas\`, raise \`maxConnections\`, or put a pooler between. The largest pool that fits is 7 + 1.`,
    ),
  );
});

test('what runs beside the servers is counted', () => {
  const app = new App({ outdir: Testing.app().outdir });
  const chart = new Chart(app, 'chart', { namespace: 'ml' });
  const backend = new ExistingSecretPostgres(chart, 'postgres', {
    host: 'db',
    secretName: 'login',
    maxConnections: 50,
  });
  const server = new MlflowServer(chart, 'mlflow', { backend });
  new PostgresBackup(chart, 'backup', { backend, target: BackupLocation.volume() });
  new MlflowGarbageCollection(chart, 'gc', { server, schedule: Cron.daily(), olderThan: Duration.days(30) });
  new PostgresExporter(chart, 'exporter', { backend });
  expect(() => {
    app.synth();
  }).toThrow(
    new Error(
      `${failed}[chart/mlflow] pool-fits-database: up to 51 connections (mlflow: 1 pod x 44 with 2 workers; backup: 2 at its time; gc: 3 at its time; exporter: 2 for metrics) exceed the 47 that "postgres" offers. Lower \`pooling\`, \`workers\` or \`replicas\`, raise \`maxConnections\`, or put a pooler between. The largest pool that fits is 9 + 1.`,
    ),
  );
});

test('no pool is named where none fits', () => {
  expect(synthesis(10, {}).synth).toThrow(/exceed the 7 that "postgres" offers\. Lower [^.]+ between\.$/);
});

test('the presets fit what they are for', () => {
  expect(synthesis(100, { artifactRoot: shared }).synth).not.toThrow();
  const pooling = PoolingProfile.HIGH_AVAILABILITY;
  expect(synthesis(100, { replicas: 2, pooling, artifactRoot: shared }).synth).not.toThrow();
});

test('nothing is checked against what is not known', () => {
  expect(synthesis(undefined, { workers: 100 }).synth).not.toThrow();
});

test('what connects without a server is counted, too', () => {
  const app = new App({ outdir: Testing.app().outdir });
  const chart = new Chart(app, 'chart');
  const backend = new ExistingSecretPostgres(chart, 'postgres', { host: 'db', secretName: 'login', maxConnections: 5 });
  new PostgresBackup(chart, 'backup', { backend, target: BackupLocation.volume() });
  new PostgresExporter(chart, 'exporter', { backend });
  expect(() => {
    app.synth();
  }).toThrow(
    new Error(
      `${failed}[chart/exporter] pool-fits-database: up to 4 connections (backup: 2 at its time; exporter: 2 for metrics) exceed the 2 that "postgres" offers. Raise \`maxConnections\` of the database, or lower \`defaultPoolSize\` of its poolers.`,
    ),
  );
});

test.each<[string, (made: ReturnType<typeof synthesis>) => Construct[]]>([
  ['a server', ({ servers }) => servers.slice(0, 1)],
  ['the backend', ({ backend }) => [backend]],
  ['the chart', ({ backend }) => [Chart.of(backend)]],
])('whoever knows better says so on %s, and why', (_, constructs) => {
  const made = synthesis(10, {}, {});
  const { synth } = made;
  const rules = constructs(made).map((each) => Rules.of(each));
  rules.forEach((each) => {
    each.acknowledge('requests-fit-pooler', 'another rule');
  });
  expect(synth).toThrow(/pool-fits-database: up to 88 connections/);
  rules.forEach((each) => {
    each.acknowledge('pool-fits-database', 'max_connections is raised by the operator at night');
  });
  expect(synth).not.toThrow();
});

test('acknowledged on what does not connect, it is still an error', () => {
  const { app, synth } = synthesis(10, {});
  Rules.of(new Chart(app, 'other')).acknowledge('pool-fits-database', 'not about the other chart');
  expect(synth).toThrow(/pool-fits-database/);
});
