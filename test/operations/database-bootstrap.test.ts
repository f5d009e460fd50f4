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
  PostgresCredentials,
  PostgresTls,
} from 'cdk8s-mlflow';

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
    env(container(serverManifests({ databaseConnectionCheck }), 'wait-for-database')).DATABASE_MAY_APPEAR;
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
