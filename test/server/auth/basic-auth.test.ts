import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  PoolingProfile,
  BitnamiArchitecture,
  BitnamiPasswords,
  BitnamiPostgres,
  DatabaseMigration,
  CustomLogin,
  DefaultPermission,
  ExternalPostgres,
  type BasicAuthOptions,
  MlflowAuth,
  type MlflowServerProps,
  PgBouncer,
  ReadinessCheck,
  SecretKey,
} from 'cdk8s-mlflow';
import { Duration, Testing } from 'cdk8s';
import { Secret } from 'cdk8s-plus-28';

import { chart, container, env, type Manifest, only, podOf, server, serverManifests } from '../../support/synth';

import recorded from './basic-auth-keys.json';

const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);
const secret = (name: string): Manifest => ({ secretKeyRef: { name: 'auth', key: name } });
const encryption = { passphrase: key('passphrase') };

function basic(options: Partial<BasicAuthOptions> = {}): Partial<MlflowServerProps> {
  const auth = MlflowAuth.basic({ adminPassword: key('admin-password'), flaskSecretKey: key('flask-key'), ...options });
  return { auth, encryption };
}

function configuration(manifests: Manifest[]): Manifest {
  return only(
    manifests.filter((m) => m.kind === 'ConfigMap' && m.data['basic_auth.ini'] !== undefined),
    'ConfigMap',
  );
}

test('the configuration has nothing secret in it', () => {
  const manifests = serverManifests(basic());
  const { metadata, data, immutable } = configuration(manifests);
  expect(metadata.name).toMatch(/^mlflow-auth-[0-9a-f]{8}$/);
  expect(immutable).toBe(true);
  expect(data['basic_auth.ini']).toBe(
    [
      '[mlflow]',
      'default_permission = READ',
      'database_uri = postgresql+psycopg2://',
      'admin_username = admin',
      'admin_password =',
      'auth_cache_ttl_seconds = 0',
      '',
    ].join('\n'),
  );
});

test('every character of a name arrives, past configparser, SQLAlchemy and libpq', () => {
  const options = {
    adminUsername: '100%me',
    database: 'm%l f/?&',
    defaultPermission: DefaultPermission.NO_PERMISSIONS,
    passwordCache: Duration.minutes(1),
  };
  expect(configuration(serverManifests(basic(options))).data['basic_auth.ini']).toBe(
    [
      '[mlflow]',
      'default_permission = NO_PERMISSIONS',
      'database_uri = postgresql+psycopg2:///?dbname=m%%25l%%20f%%2F%%3F%%26',
      'admin_username = 100%%me',
      'admin_password =',
      'auth_cache_ttl_seconds = 60',
      '',
    ].join('\n'),
  );
});

const replicated = (): Partial<MlflowServerProps> => ({
  backend: new ExternalPostgres(chart(), 'postgres', { host: 'db', readHost: 'db-ro', user: 'u', password: 'p' }),
});

test.each(Object.entries(recorded))('MLflow %s: each key of the configuration has a prop', (_, keys) => {
  const auth = MlflowAuth.custom({
    login: CustomLogin.authorizationFunction('ldap_auth:authenticate', {
      adminPassword: key('admin-password'),
      flaskSecretKey: key('flask-key'),
      grantDefaultWorkspaceAccess: true,
      workspaceCache: Duration.minutes(5),
      workspaceCacheSize: 100,
      readFromReplica: true,
    }),
  });
  const props = { passwordCache: Duration.minutes(1), passwordCacheSize: 50 };
  const texts = [{ auth, encryption, ...replicated() }, basic(props)].map(
    (each) => configuration(serverManifests(each)).data['basic_auth.ini'] as string,
  );
  const set = new Set(texts.flatMap((each) => [...each.matchAll(/^(\w+) =/gm)].map(([, name]) => name)));
  expect(keys.filter((name) => !set.has(name))).toEqual([]);
  const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'logins.md'), 'utf8');
  expect(keys.filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([]);
});

test('the caches, the default workspace and the replicas', () => {
  const options = {
    database: 'users',
    passwordCache: Duration.minutes(1),
    passwordCacheSize: 50,
    grantDefaultWorkspaceAccess: false,
    workspaceCache: Duration.minutes(5),
    workspaceCacheSize: 100,
    readFromReplica: true,
  };
  const manifests = serverManifests({ ...basic(options), ...replicated() });
  expect((configuration(manifests).data['basic_auth.ini'] as string).split('\n').slice(5)).toEqual([
    'auth_cache_ttl_seconds = 60',
    'auth_cache_max_size = 50',
    'grant_default_workspace_access = false',
    'workspace_cache_ttl_seconds = 300',
    'workspace_cache_max_size = 100',
    'read_database_uri = postgresql+psycopg2:///?dbname=users&host=db-ro&target_session_attrs=any',
    '',
  ]);
});

test('an isolated server reaches the replicas with the users', () => {
  const egress = (readFromReplica: boolean): string => {
    const scope = chart();
    const backend = new BitnamiPostgres(scope, 'postgres', {
      architecture: BitnamiArchitecture.replication(),
      passwords: BitnamiPasswords.fromSecretName('passwords'),
    });
    server(scope, { ...basic({ readFromReplica }), backend, isolation: {} });
    const policies = Testing.synth(scope).filter(
      ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'mlflow',
    );
    return JSON.stringify(only(policies, 'NetworkPolicy').spec.egress);
  };
  expect(egress(true)).toContain('read');
  expect(egress(false)).not.toContain('read');
});

test('the server gets its key, and who prepares the database the password', () => {
  const manifests = serverManifests(basic());
  const mlflow = container(manifests, 'mlflow');
  expect(mlflow.args).toContain('--app-name=basic-auth');
  expect(env(mlflow)).toMatchObject({
    MLFLOW_AUTH_CONFIG_PATH: '/etc/mlflow-auth/basic_auth.ini',
    MLFLOW_FLASK_SERVER_SECRET_KEY: secret('flask-key'),
    MLFLOW_CRYPTO_KEK_PASSPHRASE: secret('passphrase'),
  });
  expect(env(mlflow)).not.toHaveProperty('MLFLOW_AUTH_ADMIN_PASSWORD');
  const init = container(manifests, 'init-mlflow');
  expect(env(init)).toMatchObject({
    MLFLOW_AUTH_CONFIG_PATH: '/etc/mlflow-auth/basic_auth.ini',
    MLFLOW_AUTH_ADMIN_PASSWORD: secret('admin-password'),
  });
  const mount = { mountPath: '/etc/mlflow-auth', name: 'auth', readOnly: true };
  expect(mlflow.volumeMounts).toContainEqual(mount);
  expect(init.volumeMounts).toContainEqual(mount);
  expect(podOf(manifests).volumes).toContainEqual({
    name: 'auth',
    configMap: { name: configuration(manifests).metadata.name },
  });
});

test.each([DatabaseMigration.job(), DatabaseMigration.off()])(
  'a server whose pod does not prepare the database makes the administrator itself',
  (databaseMigration) => {
    const manifests = serverManifests({ ...basic(), databaseMigration });
    expect(env(container(manifests, 'mlflow'))).toMatchObject({ MLFLOW_AUTH_ADMIN_PASSWORD: secret('admin-password') });
  },
);

test('a Job prepares the users, too', () => {
  const manifests = serverManifests({ ...basic(), databaseMigration: DatabaseMigration.job() });
  const [job] = only(manifests, 'Job').spec.template.spec.containers;
  expect(env(job)).toMatchObject({ MLFLOW_AUTH_ADMIN_PASSWORD: secret('admin-password') });
  expect(job.volumeMounts).toContainEqual({ mountPath: '/etc/mlflow-auth', name: 'auth', readOnly: true });
});

test('a key may come from a Secret of the app', () => {
  const scope = chart();
  const own = new Secret(scope, 'own', { metadata: { name: 'own' } });
  server(scope, basic({ flaskSecretKey: SecretKey.fromSecret(own, 'key') }));
  expect(env(container(Testing.synth(scope), 'mlflow'))).toMatchObject({
    MLFLOW_FLASK_SERVER_SECRET_KEY: { secretKeyRef: { name: 'own', key: 'key' } },
  });
});

test.each<[Partial<MlflowServerProps>, string]>([
  [
    basic({ adminPassword: SecretKey.fromSecretName('A_B', 'x') }),
    '`auth.adminPassword` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A_B".',
  ],
  [
    basic({ flaskSecretKey: SecretKey.fromSecretName('auth', 'a b') }),
    '`auth.flaskSecretKey` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "a b".',
  ],
  [
    basic({ adminUsername: 'a:b' }),
    '`auth.adminUsername` must be printable ASCII without spaces and colons, got "a:b". HTTP ends a user name at its first colon.',
  ],
  [basic({ database: 'é'.repeat(32) }), `\`auth.database\` must have 1 to 63 bytes, got "${'é'.repeat(32)}".`],
  [
    basic({ passwordCache: Duration.millis(5) }),
    '`auth.passwordCache` must be a whole number of seconds from 1, got 0.005. Leave it out for no cache.',
  ],
  [
    basic({ passwordCacheSize: 0, workspaceCacheSize: 1.5 }),
    '`auth.passwordCacheSize` must be a whole number from 1, got 0.\n[chart/mlflow] `auth.workspaceCacheSize` must be a whole number from 1, got 1.5.',
  ],
  [
    basic({ readFromReplica: true }),
    '`auth.readFromReplica` needs read replicas whose host is known at synthesis, and "postgres" has none. Set the `readHost` of the backend as plain text.',
  ],
  [
    { ...basic(), readinessCheck: ReadinessCheck.DATABASE },
    '`readinessCheck` must not be DATABASE with an `auth` that requires a login, which the probe does not have. Leave it out.',
  ],
  ...['/static', '/static-mlflow', '/health-team/mlflow', '/favicon.icon'].map(
    (staticPrefix): [Partial<MlflowServerProps>, string] => [
      { ...basic(), staticPrefix },
      `\`staticPrefix\` must not begin with /static, /health or /favicon.ico with MlflowAuth.basic(), got "${staticPrefix}". MLflow requires no login there.`,
    ],
  ),
  [
    { ...basic(), encryption: undefined },
    '`encryption.passphrase` is required with `auth`, got undefined. Otherwise MLflow encrypts the API keys of its gateway with the public passphrase in its source. Pass SecretKey.fromSecretName(name, key).',
  ],
])('%#: refuses what cannot work', (props, message) => {
  expect(() => server(chart(), props)).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test('other prefixes may have such words in them', () => {
  const manifests = serverManifests({ ...basic(), staticPrefix: '/team/static' });
  expect(container(manifests, 'mlflow').args).toContain('--static-prefix=/team/static');
});

test('a PgBouncer knows one database', () => {
  const scope = chart();
  const postgres = new BitnamiPostgres(scope, 'postgres', {
    username: 'mlflow',
    passwords: BitnamiPasswords.fromLiterals({ password: 'x' }),
  });
  const backend = new PgBouncer(scope, 'pooler', { backend: postgres });
  expect(() => server(scope, { ...basic({ database: 'users' }), backend })).toThrow(
    new Error(
      '[chart/mlflow] `auth.database` must be left out behind a pooler that connects to one database, got "users". Leave it out: the database of "pooler" then stores the users.',
    ),
  );
});

test('the pool of the users counts', () => {
  const scope = chart();
  const backend = new BitnamiPostgres(scope, 'postgres', {
    passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'x' }),
    maxConnections: 60,
  });
  server(scope, { ...basic(), backend });
  expect(scope.node.findAll().flatMap((each) => each.node.validate())).toEqual([
    'pool-fits-database: up to 65 connections (1 pod x 65 with 2 workers) exceed the 57 that "postgres" offers. Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between. The largest pool that fits is 8 + 1.',
  ]);
  expect(PoolingProfile.fitting({ connections: 57, usersInDatabase: true }).poolSize).toBe(8);
});
