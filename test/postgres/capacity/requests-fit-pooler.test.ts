import { App, Chart, Cron, Testing } from 'cdk8s';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import {
  BackupLocation,
  ExistingSecretPostgres,
  type IPostgresBackend,
  MlflowServer,
  type MlflowServerProps,
  Persistence,
  PgBouncer,
  type PgBouncerProps,
  PoolingProfile,
  PoolMode,
  PostgresBackup,
  PostgresExporter,
  Rules,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

const shared = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});

interface Made {
  readonly chart: Chart;
  readonly postgres: IPostgresBackend;
  readonly pooler: PgBouncer;
  readonly server: (id: string, props: Partial<MlflowServerProps>) => MlflowServer;
  readonly synth: () => void;
}

function pooled(props: Partial<PgBouncerProps> = {}): Made {
  const app = new App({ outdir: Testing.app().outdir });
  const chart = new Chart(app, 'chart');
  const postgres = new ExistingSecretPostgres(chart, 'postgres', {
    host: 'db',
    secretName: 'login',
    maxConnections: 100,
  });
  const pooler = new PgBouncer(chart, 'pgbouncer', { backend: postgres, ...props });
  return {
    chart,
    postgres,
    pooler,
    server: (id, more) => new MlflowServer(chart, id, { backend: pooler, artifactRoot: shared, ...more }),
    synth: () => {
      app.synth();
    },
  };
}

const failed = 'Validation failed with the following errors:\n  ';

test('requests in flight are fewer than the connections of a pod of the pooler', () => {
  const { server, synth } = pooled();
  server('mlflow', { replicas: 2 });
  expect(synth).toThrow(
    new Error(
      `${failed}[chart/mlflow] requests-fit-pooler: up to 60 requests at once (3 pods x 2 workers x 10 threads) must be fewer than the 31 connections that a pod of "pgbouncer" opens to its database. Otherwise they can wait for each other's connections. Lower \`threads\`, \`workers\` or \`replicas\`, or raise \`defaultPoolSize\`. The largest \`threads\` that fits is 5.`,
    ),
  );
});

test('what it names fits, and one thread more does not', () => {
  const synth = (threads: number) => {
    const made = pooled();
    made.server('mlflow', { replicas: 2, threads });
    return made.synth;
  };
  expect(synth(5)).not.toThrow();
  expect(synth(6)).toThrow(/up to 36 requests at once/);
});

test('no pool of their own leaves a worker its 40 threads, which are counted', () => {
  const { server, synth } = pooled();
  server('mlflow', { pooling: PoolingProfile.NONE });
  expect(synth).toThrow(/up to 160 requests at once \(2 pods x 2 workers x 40 threads\) .* is 7\.$/);
});

test('servers on one pooler are added up', () => {
  const { server, synth } = pooled();
  server('one', { threads: 4 });
  server('two', { threads: 4 });
  expect(synth).toThrow(
    /up to 32 requests at once \(one: 2 pods x 2 workers x 4 threads; two: 2 pods x 2 workers x 4 threads\) .* is 3\.$/,
  );
});

test('no number is named where none fits', () => {
  const { server, synth } = pooled({ defaultPoolSize: 2 });
  server('mlflow', { threads: 1 });
  expect(synth).toThrow(/or raise `defaultPoolSize`\.$/);
});

test('whoever knows better says so, and why', () => {
  const { server, synth } = pooled();
  Rules.of(server('mlflow', { replicas: 2 })).acknowledge('requests-fit-pooler', 'nobody logs batches here');
  expect(synth).not.toThrow();
});

test('in session mode a client keeps its connection, so that connections have to fit', () => {
  const { server, synth } = pooled({ poolMode: PoolMode.SESSION });
  server('mlflow', { threads: 1 });
  expect(synth).toThrow(
    new Error(
      `${failed}[chart/mlflow] pool-fits-database: up to 84 connections (2 pods x 42 with 2 workers) exceed the 31 that "pgbouncer" offers. Lower \`pooling\`, \`workers\` or \`replicas\`, or raise \`maxClientConnections\` of the pooler, in session mode \`defaultPoolSize\`. The largest pool that fits is 2 + 1.`,
    ),
  );
});

test('a server past the pooler shares the database with it', () => {
  const { chart, postgres, server, synth } = pooled({ defaultPoolSize: 31 });
  server('pooled', { threads: 3 });
  new MlflowServer(chart, 'straight', { backend: postgres });
  expect(synth).toThrow(
    new Error(
      `${failed}[chart/straight] pool-fits-database: up to 140 connections (pgbouncer: 3 pods x 31; pooled: 3 for the migration; straight: 1 pod x 44 with 2 workers) exceed the 97 that "postgres" offers. Lower \`pooling\`, \`workers\` or \`replicas\`, raise \`maxConnections\`, or put a pooler between. The largest \`defaultPoolSize\` that fits is 16.`,
    ),
  );
});

test('the migration goes around the pooler, and is counted there', () => {
  const { chart, pooler, postgres, server, synth } = pooled({ defaultPoolSize: 31 });
  const second = new PgBouncer(chart, 'second', { backend: postgres, defaultPoolSize: 1 });
  server('mlflow', { threads: 3 });
  expect(second.connection.bypass).toBe(pooler.connection.bypass);
  expect(synth).toThrow(
    new Error(
      `${failed}[chart/mlflow] pool-fits-database: up to 99 connections (pgbouncer: 3 pods x 31; second: 3 pods x 1; mlflow: 3 for the migration) exceed the 97 that "postgres" offers. Raise \`maxConnections\` of the database, or lower \`defaultPoolSize\` of its poolers. The largest \`defaultPoolSize\` that fits is 15.`,
    ),
  );
});

test('without a given size, a pooler leaves room for the other clients of its database', () => {
  const { chart, pooler, postgres, server, synth } = pooled();
  server('pooled', { threads: 3 });
  expect(pooler.connection.serverConnections).toBe(31);
  new PostgresBackup(chart, 'backup', {
    backend: postgres,
    target: BackupLocation.volume(Persistence.newClaim()),
    schedule: Cron.daily(),
  });
  new PostgresExporter(chart, 'exporter', { backend: postgres });
  new MlflowServer(chart, 'straight', { backend: postgres });
  expect(synth).not.toThrow();
  // (97 - 3 for the migration - 2 for the backup - 2 for metrics - 44 of the server) / 3 pods.
  expect(pooler.connection.serverConnections).toBe(15);
  expect(JSON.stringify(Testing.synth(chart))).toContain('default_pool_size = 15\\n');
});

test('two poolers without a given size share their database', () => {
  const { chart, pooler, postgres, synth } = pooled();
  const second = new PgBouncer(chart, 'second', { backend: postgres });
  expect(synth).not.toThrow();
  expect([pooler, second].map(({ connection }) => connection.serverConnections)).toEqual([15, 15]);
});
