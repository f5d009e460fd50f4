import { App, Chart, Testing } from 'cdk8s';
import {
  CloudNativePostgres,
  ExistingSecretPostgres,
  type IPostgresBackend,
  MlflowAuth,
  MlflowServer,
  PgBouncer,
  PostgresConnection,
  type PostgresConnectionProps,
  PostgresTls,
  SecretKey,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);

const auth = MlflowAuth.basic({
  adminPassword: key('admin-password'),
  flaskSecretKey: key('flask-key'),
  database: 'users',
});
const encryption = { passphrase: key('passphrase') };

/** A pooler that the library has never heard of. */
class OwnPooler extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, backend: IPostgresBackend, props: Partial<PostgresConnectionProps>) {
    super(scope, id);
    this.connection = new PostgresConnection({
      host: EnvValue.fromValue(id),
      port: EnvValue.fromValue('6432'),
      database: backend.connection.database,
      credentials: backend.connection.credentials,
      tls: PostgresTls.DISABLE,
      bypass: backend.connection.unpooled,
      ...props,
    });
  }
}

function pooled(props: Partial<PostgresConnectionProps> = {}) {
  const app = new App({ outdir: Testing.app().outdir });
  const chart = new Chart(app, 'chart');
  const postgres = new ExistingSecretPostgres(chart, 'postgres', {
    host: 'db',
    secretName: 'login',
    maxConnections: 100,
  });
  return {
    chart,
    backend: new OwnPooler(chart, 'pooler', postgres, props),
    synth: () => {
      app.synth();
    },
  };
}

const failed = 'Validation failed with the following errors:\n  ';

test('users cannot have a database that the pooler does not connect to', () => {
  const { chart, backend } = pooled();
  expect(() => new MlflowServer(chart, 'mlflow', { backend, auth, encryption })).toThrow(
    new Error(
      '[chart/mlflow] `auth.database` must be left out behind a pooler that connects to one database, got "users". Leave it out: the database of "pooler" then stores the users.',
    ),
  );
});

test('they can where it connects to every database, as the one of CloudNativePG does', () => {
  const { chart, backend } = pooled({ poolsAnyDatabase: true });
  const operator = new CloudNativePostgres(chart, 'cluster', { pooler: {} });
  expect(() => {
    new MlflowServer(chart, 'mlflow', { backend, auth, encryption });
    new MlflowServer(chart, 'other', { backend: operator, auth, encryption });
  }).not.toThrow();
});

test('its connections bound the requests of the servers', () => {
  const { chart, backend, synth } = pooled({ serverConnections: 20 });
  new MlflowServer(chart, 'mlflow', { backend });
  expect(synth).toThrow(
    new Error(
      `${failed}[chart/mlflow] requests-fit-pooler: up to 20 requests at once (1 pod x 2 workers x 10 threads) must be fewer than the 20 connections that a pod of "pooler" opens to its database. Otherwise they can wait for each other's connections. Lower \`threads\`, \`workers\` or \`replicas\`, or raise \`defaultPoolSize\`. The largest \`threads\` that fits is 9.`,
    ),
  );
});

test('it keeps no connections for superusers, and migrations take none of it', () => {
  const { chart, backend, synth } = pooled({ maxConnections: 44 });
  new MlflowServer(chart, 'mlflow', { backend });
  expect(synth).not.toThrow();
});

test('a PgBouncer in front of it may take all of its connections', () => {
  const { chart, backend } = pooled({ maxConnections: 44 });
  const inFront = new PgBouncer(chart, 'pgbouncer', { backend, replicas: 1 });
  expect(inFront.connection.serverConnections).toBe(22);
  expect(inFront.connection.bypass).toBe(backend.connection.bypass);
});
