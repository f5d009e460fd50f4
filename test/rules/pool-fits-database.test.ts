import { App, Chart, Cron, Duration, Testing } from 'cdk8s';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
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
      `${failed}[chart/mlflow-0] up to 176 connections (4 pods x 44 with 2 workers) exceed the 97 that "postgres" offers. Lower \`pooling\`, \`workers\` or \`replicas\`, raise \`maxConnections\`, or put a pooler between. The largest pool that fits is 5 + 1.`,
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
      `${failed}[chart/mlflow-2] up to 111 connections (mlflow-0: 1 pod x 44 with 2 workers; mlflow-1: 1 pod x 44 with 2 workers; mlflow-2: 1 pod x 23 with 1 worker) exceed the 97 that "postgres" offers. Lower \`pooling\`, \`workers\` or \`replicas\`, raise \`maxConnections\`, or put a pooler between. The largest pool that fits is 7 + 1.`,
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
      `${failed}[chart/mlflow] up to 51 connections (mlflow: 1 pod x 44 with 2 workers; backup: 2 at its time; gc: 3 at its time; exporter: 2 for metrics) exceed the 47 that "postgres" offers. Lower \`pooling\`, \`workers\` or \`replicas\`, raise \`maxConnections\`, or put a pooler between. The largest pool that fits is 9 + 1.`,
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

test('whoever knows better says so, and why', () => {
  const { servers, synth } = synthesis(10, {});
  servers[0]?.acknowledge('pool-fits-database', 'max_connections is raised by the operator at night');
  expect(synth).not.toThrow();
});

test('an unknown rule and a missing reason are errors', () => {
  const { servers } = synthesis(10, {});
  expect(() => servers[0]?.acknowledge('pool-fit', ' ')).toThrow(
    new Error(
      '[chart/mlflow-0] `rule` must be the id of a rule: pool-fits-database or requests-fit-pooler, got "pool-fit".\n[chart/mlflow-0] `reason` must say why the rule may be broken, got " ".',
    ),
  );
});
