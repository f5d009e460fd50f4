import { Testing } from 'cdk8s';
import { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import {
  BitnamiArchitecture,
  BitnamiPasswords,
  BitnamiPostgres,
  TlsCertificate,
  CloudNativePostgres,
  CloudSqlLogin,
  CloudSqlPostgres,
  DatabaseMigration,
  ExistingSecretPostgres,
  ExternalPostgres,
  FileSource,
  type IPostgresBackend,
  MlflowServer,
  PgBouncer,
  PostgresConnection,
  PostgresCredentials,
  PostgresTls,
  RdsPostgres,
} from 'cdk8s-mlflow';

import { chart, containerOf, env, type Manifest, only } from '../support/synth';

const PASSWORD = 'p@ss/w:rd%&\'"$ `ö ';

class OwnBackend extends Construct implements IPostgresBackend {
  public readonly connection = new PostgresConnection({
    host: EnvValue.fromValue('own-db'),
    port: EnvValue.fromValue('6543'),
    database: EnvValue.fromValue('tracking'),
    credentials: PostgresCredentials.fromLiterals(this, { username: 'me', password: PASSWORD }),
    tls: PostgresTls.DISABLE,
  });
}

const tls = PostgresTls.verifyFull({
  ca: FileSource.fromConfigMap('ca', 'ca.pem'),
  clientCertificate: TlsCertificate.fromSecretName('client'),
});

const BACKENDS: Record<string, (scope: Construct) => IPostgresBackend> = {
  ExternalPostgres: (scope) => new ExternalPostgres(scope, 'postgres', { host: 'db', user: 'u', password: PASSWORD }),
  'ExternalPostgres with certificates': (scope) =>
    new ExternalPostgres(scope, 'postgres', { host: 'db', user: 'u', password: PASSWORD, tls }),
  ExistingSecretPostgres: (scope) => new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'login' }),
  'ExistingSecretPostgres.fromConnectionSecret': (scope) =>
    ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', { secretName: 'cluster-app' }),
  'BitnamiPostgres as superuser': (scope) =>
    new BitnamiPostgres(scope, 'postgres', {
      passwords: BitnamiPasswords.fromLiterals({ postgresPassword: PASSWORD }),
    }),
  'BitnamiPostgres as user, replicated': (scope) =>
    new BitnamiPostgres(scope, 'postgres', {
      username: 'mlflow',
      architecture: BitnamiArchitecture.replication(),
      passwords: BitnamiPasswords.fromLiterals({ password: PASSWORD, replicationPassword: PASSWORD }),
    }),
  'BitnamiPostgres on a Secret': (scope) =>
    new BitnamiPostgres(scope, 'postgres', { passwords: BitnamiPasswords.fromSecretName('passwords') }),
  CloudNativePostgres: (scope) => new CloudNativePostgres(scope, 'cluster'),
  'CloudNativePostgres with its pooler': (scope) => new CloudNativePostgres(scope, 'cluster', { pooler: {} }),
  'CloudSqlPostgres with a password': (scope) =>
    new CloudSqlPostgres(scope, 'postgres', {
      instanceConnectionName: 'shop:europe-west1:mlflow',
      login: CloudSqlLogin.password(PostgresCredentials.fromSecretName('login')),
    }),
  'CloudSqlPostgres by IAM': (scope) =>
    new CloudSqlPostgres(scope, 'postgres', {
      instanceConnectionName: 'shop:europe-west1:mlflow',
      login: CloudSqlLogin.iam('mlflow@shop.iam'),
    }),
  RdsPostgres: (scope) =>
    new RdsPostgres(scope, 'postgres', { host: 'db.abc.eu-west-1.rds.amazonaws.com', user: 'mlflow', tls }),
  'PgBouncer before ExternalPostgres': (scope) =>
    new PgBouncer(scope, 'pgbouncer', {
      backend: new ExternalPostgres(scope, 'postgres', { host: 'db', user: 'u', password: PASSWORD, tls }),
    }),
  'a backend of the user': (scope) => new OwnBackend(scope, 'postgres'),
};

describe.each(Object.entries(BACKENDS))('%s', (_, newBackend) => {
  function synth(migration = DatabaseMigration.initContainer()): Manifest[] {
    const scope = chart();
    new MlflowServer(scope, 'mlflow', { backend: newBackend(scope), databaseMigration: migration });
    return Testing.synth(scope);
  }

  function connecting(manifests: Manifest[]): Manifest[] {
    const pods = manifests
      .filter((m) => m.kind === 'Job' || (m.kind === 'Deployment' && m.metadata.name === 'mlflow'))
      .map((m: Manifest) => m.spec.template.spec);
    const all = pods.flatMap((pod) => [...(pod.initContainers ?? []), ...pod.containers]);
    // A sidecar is a way to connect, and connects to nothing by itself.
    return all.filter(({ restartPolicy }) => restartPolicy === undefined);
  }

  test('connects every container in the same way, but for migrations, which go around a pooler', () => {
    const containers = connecting(synth(DatabaseMigration.job()));
    const { bypass, credentials } = newBackend(chart()).connection;
    const prepares = ['wait-for-database', 'init-mlflow'];
    expect(containers.map((c) => c.name)).toEqual([...prepares, ...prepares, 'mlflow']);
    const connections = containers.map((c) =>
      Object.fromEntries(Object.entries(env(c)).filter(([name]) => /^PG(?!APPNAME)|BACKEND_STORE/.test(name))),
    );
    const mounts = containers.map((c) =>
      c.volumeMounts.filter((m: Manifest) => /^postgres-(direct-)?tls/.test(m.name)),
    );
    const [waitingInJob, migrating, waiting, migratingToo, serving] = containers.map((_, i) => [
      connections[i],
      mounts[i],
    ]);
    expect([waitingInJob, migratingToo]).toEqual([migrating, migrating]);
    expect(serving).toEqual(waiting);
    expect(JSON.stringify(migrating) === JSON.stringify(serving)).toBe(bypass === undefined);
    const password = credentials.password === undefined ? [] : ['PGPASSWORD'];
    expect(Object.keys(connections[0] ?? {})).toEqual(
      expect.arrayContaining([
        'PGHOST',
        'PGPORT',
        'PGDATABASE',
        'PGUSER',
        ...password,
        'PGSSLMODE',
        'PGCONNECT_TIMEOUT',
      ]),
    );
  });

  test('takes the password from a Secret that must exist or has none, and the rest as text or from a Secret', () => {
    const variables = env(containerOf(only(synth(), 'Deployment', 'mlflow').spec.template.spec, 'mlflow'));
    const { password } = newBackend(chart()).connection.credentials;
    const secret = { secretKeyRef: { key: expect.any(String), name: expect.any(String) } };
    expect(variables.PGPASSWORD).toEqual(password && secret);
    for (const name of ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER']) {
      const value = variables[name];
      expect(typeof value === 'string' ? value : value.secretKeyRef.name).toMatch(/./);
    }
  });

  test('keeps the URI free of everything but the driver', () => {
    for (const c of connecting(synth())) {
      expect(env(c).MLFLOW_BACKEND_STORE_URI).toBe('postgresql+psycopg2://');
    }
  });

  test('writes a literal password into a Secret and nowhere else', () => {
    const others = synth().filter((m) => m.kind !== 'Secret');
    expect(JSON.stringify(others)).not.toContain(JSON.stringify(PASSWORD).slice(1, -1));
  });

  test('refers only to Secrets that the chart makes, or that the caller named', () => {
    const manifests = synth();
    const made = manifests.filter((m) => m.kind === 'Secret').map((m) => m.metadata.name);
    const text = JSON.stringify(manifests);
    const used = [...text.matchAll(/"secretKeyRef":\{"key":"[^"]+","name":"([^"]+)"/g)].map((m) => m[1]);
    expect([...made, 'login', 'cluster-app', 'passwords']).toEqual(expect.arrayContaining([...new Set(used)]));
  });

  test('gives pods the labels that open the database', () => {
    const scope = chart();
    const backend = newBackend(scope);
    new MlflowServer(scope, 'mlflow', { backend });
    const labels = only(Testing.synth(scope), 'Deployment', 'mlflow').spec.template.metadata.labels;
    expect(labels).toMatchObject(backend.connection.clientLabels);
  });
});
