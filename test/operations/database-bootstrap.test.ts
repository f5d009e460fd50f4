import { Chart, Duration, Testing } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  TlsCertificate,
  DatabaseBootstrap,
  type DatabaseBootstrapProps,
  DatabaseConnectionCheck,
  DatabaseMigration,
  ExternalPostgres,
  FileSource,
  type IPostgresBackend,
  PgBouncer,
  PostgresConnection,
  type PostgresConnectionProps,
  PostgresCredentials,
  PostgresDatabase,
  PostgresTls,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { anyBackend, chart, container, containerOf, env, type Manifest, only, serverManifests } from '../support/synth';
import { edges } from '../support/edges';

function manifests(
  props: Partial<DatabaseBootstrapProps> = {},
  backend: (scope: Chart) => IPostgresBackend = anyBackend,
): Manifest[] {
  const scope = chart();
  new DatabaseBootstrap(scope, 'bootstrap', {
    backend: backend(scope),
    admin: PostgresCredentials.fromSecretName('admin'),
    ...props,
  });
  return Testing.synth(scope);
}

const job = (all: Manifest[]): Manifest => only(all, 'Job');
const podOf = (all: Manifest[]): Manifest => job(all).spec.template;
const envOf = (all: Manifest[]): Manifest => env(containerOf(podOf(all).spec, 'bootstrap-database'));

test('logs in as the administrator, and knows the login to make', () => {
  expect(envOf(manifests())).toMatchObject({
    PGHOST: 'db',
    PGDATABASE: 'postgres',
    PGUSER: { secretKeyRef: { name: 'admin', key: 'username' } },
    PGPASSWORD: { secretKeyRef: { name: 'admin', key: 'password' } },
    PGSSLMODE: 'require',
    BOOTSTRAP_USER: { secretKeyRef: { name: 'db-login', key: 'username' } },
    BOOTSTRAP_PASSWORD: { secretKeyRef: { name: 'db-login', key: 'password' } },
    BOOTSTRAP_DATABASE: 'mlflow',
    BOOTSTRAP_WAIT_SECONDS: '120',
  });
});

test('takes another database, deadline and certificate', () => {
  const tls = PostgresTls.verifyFull({
    ca: FileSource.fromConfigMap('ca', 'ca.crt'),
    clientCertificate: TlsCertificate.fromSecretName('admin-certificate'),
  });
  const all = manifests({ maintenanceDatabase: 'defaultdb', deadline: Duration.minutes(5), tls });
  expect(envOf(all)).toMatchObject({
    PGDATABASE: 'defaultdb',
    BOOTSTRAP_WAIT_SECONDS: '300',
    PGSSLMODE: 'verify-full',
  });
  expect(podOf(all).spec.volumes).toContainEqual(
    expect.objectContaining({ secret: expect.objectContaining({ secretName: 'admin-certificate' }) }),
  );
});

test('goes past a pooler, with the labels that open the database', () => {
  const all = manifests({}, (scope) => {
    const passwords = BitnamiPasswords.fromLiterals({ postgresPassword: 'a', password: 'b' });
    const backend = new BitnamiPostgres(scope, 'postgres', { username: 'mlflow', passwords });
    return new PgBouncer(scope, 'pgbouncer', { backend });
  });
  expect(envOf(all).PGHOST).toBe('postgres');
  expect(podOf(all).metadata.labels).toMatchObject({ 'postgres-client': 'true' });
});

test('a changed password of either login is another Job, and an equal one is not', () => {
  const nameWith = (user: string, admin: string): string => {
    const scope = chart();
    const backend = new ExternalPostgres(scope, 'postgres', { host: 'db', user: 'mlflow', password: user });
    const literals = { username: 'boss', password: admin };
    const login = PostgresCredentials.fromLiterals(new Chart(scope, 'admin'), literals);
    new DatabaseBootstrap(scope, 'bootstrap', { backend, admin: login });
    return job(Testing.synth(scope)).metadata.name;
  };
  expect(nameWith('a', 'b')).toMatch(/^bootstrap-[0-9a-f]{8}$/);
  expect(nameWith('a', 'b')).toBe(nameWith('a', 'b'));
  expect(new Set([nameWith('a', 'b'), nameWith('c', 'b'), nameWith('a', 'd')]).size).toBe(3);
});

test('says all that is wrong at once', () => {
  expect(() => manifests({ maintenanceDatabase: '', deadline: Duration.seconds(0) })).toThrow(
    new Error(
      [
        '[chart/bootstrap] `maintenanceDatabase` must be given or left out, got an empty string. If it comes from an environment variable, set that before the synthesis.',
        '[chart/bootstrap] `deadline` must be a whole number of seconds from 1, got 0.',
      ].join('\n'),
    ),
  );
});

test('a server waits for a database that is being made only when told to', () => {
  const waits = (databaseConnectionCheck?: DatabaseConnectionCheck): Manifest =>
    env(container(serverManifests({ databaseConnectionCheck }), 'init-mlflow')).DATABASE_MAY_APPEAR;
  expect(waits()).toBeUndefined();
  expect(waits(DatabaseConnectionCheck.initContainer({ databaseMayAppear: true }))).toBe('true');
});

test('a migration Job waits as its server does', () => {
  const waitsIn = (databaseConnectionCheck?: DatabaseConnectionCheck): string[] => {
    const all = serverManifests({ databaseMigration: DatabaseMigration.job(), databaseConnectionCheck });
    return (podOf(all).spec.initContainers ?? []).map(({ name }: Manifest) => name);
  };
  expect(waitsIn()).toEqual(['wait-for-database']);
  expect(waitsIn(DatabaseConnectionCheck.off())).toEqual([]);
});

test('isolated, it reaches the database and DNS, and nobody reaches it', () => {
  const bitnami = (scope: Chart): IPostgresBackend =>
    new BitnamiPostgres(scope, 'postgres', { username: 'mlflow', passwords: BitnamiPasswords.fromSecretName('p') });
  expect(edges(manifests({ isolation: {} }, bitnami), 'bootstrap')).toEqual([
    'out 53/UDP 53/TCP to k8s-app=kube-dns of metadata.name=kube-system',
    'out 5432/TCP to component=primary,instance=postgres,name=postgresql',
  ]);
});

describe('of several databases', () => {
  const postgres = (scope: Chart, id: string, host = 'db.example.com'): ExternalPostgres =>
    new ExternalPostgres(scope, id, {
      host,
      user: id,
      password: `password of ${id}`,
      database: id,
      schema: `of_${id}`,
    });

  const database = (scope: Chart, id: string, server: IPostgresBackend): PostgresDatabase =>
    new PostgresDatabase(scope, id, {
      server,
      database: id,
      credentials: PostgresCredentials.fromSecretName(`${id}-login`),
    });

  test('the Job knows each login', () => {
    const all = manifests({}, (scope) => postgres(scope, 'alone'));
    expect(Object.keys(envOf(all)).filter((name) => /^BOOTSTRAP_\d/.test(name))).toEqual([]);
    const scope = chart();
    const backend = postgres(scope, 'one');
    const furtherBackends = [
      database(scope, 'two', backend),
      new PgBouncer(scope, 'pool', { backend: postgres(scope, 'three', 'DB.example.com.') }),
    ];
    const admin = PostgresCredentials.fromSecretName('admin');
    new DatabaseBootstrap(scope, 'bootstrap', { backend, furtherBackends, admin });
    const variables = Object.entries(envOf(Testing.synth(scope))).filter(([name]) => name.startsWith('BOOTSTRAP_'));
    const key = (name: string, key: string): Manifest => ({ secretKeyRef: { name, key } });
    expect(Object.fromEntries(variables)).toEqual({
      BOOTSTRAP_USER: key('one', 'username'),
      BOOTSTRAP_PASSWORD: key('one', 'password'),
      BOOTSTRAP_DATABASE: 'one',
      BOOTSTRAP_SCHEMA: 'of_one',
      BOOTSTRAP_1_USER: key('two-login', 'username'),
      BOOTSTRAP_1_PASSWORD: key('two-login', 'password'),
      BOOTSTRAP_1_DATABASE: 'two',
      BOOTSTRAP_2_USER: key('three', 'username'),
      BOOTSTRAP_2_PASSWORD: key('three', 'password'),
      BOOTSTRAP_2_DATABASE: 'three',
      BOOTSTRAP_2_SCHEMA: 'of_three',
      BOOTSTRAP_WAIT_SECONDS: '120',
    });
  });

  test('a changed password of any of them is another Job', () => {
    const nameWith = (password: string): string => {
      const scope = chart();
      const further = new ExternalPostgres(scope, 'two', { host: 'db.example.com', user: 'two', password });
      const admin = PostgresCredentials.fromSecretName('admin');
      const backend = postgres(scope, 'one');
      new DatabaseBootstrap(scope, 'bootstrap', { backend, furtherBackends: [further], admin });
      return job(Testing.synth(scope)).metadata.name;
    };
    expect(new Set(['a', 'a', 'c'].map(nameWith)).size).toBe(2);
  });

  test('they are on one server, and have passwords', () => {
    const scope = chart();
    const certificate = new OwnBackend(scope, 'own', {
      // eslint-disable-next-line @typescript-eslint/no-misused-spread -- A connection has the fields of its props.
      ...postgres(scope, 'three').connection,
      credentials: new PostgresCredentials({ username: EnvValue.fromValue('me') }),
    });
    const furtherBackends = [postgres(scope, 'two', 'db2.example.com'), certificate];
    const admin = PostgresCredentials.fromSecretName('admin');
    expect(
      () => new DatabaseBootstrap(scope, 'bootstrap', { backend: postgres(scope, 'one'), furtherBackends, admin }),
    ).toThrow(
      new Error(
        [
          "[chart/bootstrap] `furtherBackends[1]` must log in with a password, which the role gets. Create a role without one as an administrator, or with the database provider's tools.",
          '[chart/bootstrap] `furtherBackends[0]` must be on the server of `backend` (db.example.com:5432), got "db2.example.com:5432". Make a DatabaseBootstrap for each server.',
        ].join('\n'),
      ),
    );
  });
});

class OwnBackend extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: PostgresConnectionProps) {
    super(scope, id);
    this.connection = new PostgresConnection(props);
  }
}
