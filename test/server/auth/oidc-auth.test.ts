import { Duration } from 'cdk8s';
import { EnvValue } from 'cdk8s-plus-28';
import {
  DefaultPermission,
  GcsArtifacts,
  GoogleIdentity,
  MlflowAuth,
  type MlflowServerProps,
  type OidcAuthOptions,
  PoolingProfile,
  SameSite,
  SecretKey,
} from 'cdk8s-mlflow';

import { chart, container, env, only, server, serverManifests } from '../../support/synth';

const key = (name: string): SecretKey => SecretKey.fromSecretName('sso', name);

function oidc(
  options: Partial<OidcAuthOptions> = {},
  props: Partial<MlflowServerProps> = {},
): Partial<MlflowServerProps> {
  const auth = MlflowAuth.oidc({
    issuerUrl: 'https://sso.example.com/realms/a/',
    clientId: 'mlflow',
    clientSecret: key('client-secret'),
    sessionSecretKey: key('session-key'),
    database: 'mlflow_users',
    ...options,
  });
  return { auth, encryption: { passphrase: key('passphrase') }, ...props };
}

test('the environment of the plugin', () => {
  const manifests = serverManifests(oidc());
  const mlflow = container(manifests, 'mlflow');
  expect(mlflow.args).toContain('--app-name=oidc-auth');
  expect(env(mlflow)).toMatchObject({
    OIDC_DISCOVERY_URL: 'https://sso.example.com/realms/a/.well-known/openid-configuration',
    OIDC_CLIENT_ID: 'mlflow',
    OIDC_CLIENT_SECRET: { secretKeyRef: { name: 'sso', key: 'client-secret' } },
    SECRET_KEY: { secretKeyRef: { name: 'sso', key: 'session-key' } },
    OIDC_USERS_DB_URI: 'postgresql+psycopg2:///?dbname=mlflow_users',
    OIDC_DB_POOL_SIZE: '10',
    OIDC_DB_POOL_MAX_OVERFLOW: '1',
    OIDC_DB_POOL_RECYCLE_SECONDS: '3600',
  });
  for (const name of ['OIDC_REDIRECT_URI', 'OIDC_GROUP_NAME', 'OIDC_ADMIN_GROUP_NAME', 'DEFAULT_MLFLOW_PERMISSION']) {
    expect(env(mlflow)).not.toHaveProperty(name);
  }
  expect(env(container(manifests, 'init-mlflow'))).toMatchObject({
    OIDC_USERS_DB_URI: 'postgresql+psycopg2:///?dbname=mlflow_users',
  });
});

test('groups, permissions and where people are sent back to', () => {
  const options = {
    allowedGroups: ['a', 'b'],
    adminGroups: ['c'],
    defaultPermission: DefaultPermission.READ,
  };
  const ingress = { hosts: ['a.example.com'], tlsSecretName: 'tls' };
  expect(env(container(serverManifests(oidc(options, { ingress })), 'mlflow'))).toMatchObject({
    OIDC_GROUP_NAME: 'a,b',
    OIDC_ADMIN_GROUP_NAME: 'c',
    DEFAULT_MLFLOW_PERMISSION: 'READ',
    OIDC_REDIRECT_URI: 'https://a.example.com/callback',
    SESSION_COOKIE_SECURE: 'true',
  });
});

test('scopes, the claim of the groups, the cookie and the Redis', () => {
  const manifests = serverManifests(
    oidc(
      {
        scopes: ['openid', 'email', 'groups'],
        groupsClaim: 'roles',
        cookie: { name: 'ml', secure: true, sameSite: SameSite.STRICT, lifetime: Duration.hours(12) },
        redisCache: { url: key('redis') },
      },
      { isolation: {} },
    ),
  );
  expect(env(container(manifests, 'mlflow'))).toMatchObject({
    OIDC_SCOPE: 'openid email groups',
    OIDC_GROUPS_ATTRIBUTE: 'roles',
    SESSION_COOKIE_NAME: 'ml',
    SESSION_COOKIE_SECURE: 'true',
    SESSION_COOKIE_SAMESITE: 'strict',
    SESSION_COOKIE_MAX_AGE_SECONDS: '43200',
    CACHE_BACKEND: 'redis',
    CACHE_REDIS_URL: { secretKeyRef: { name: 'sso', key: 'redis' } },
  });
  expect(only(manifests, 'NetworkPolicy').spec.egress).toContainEqual({ ports: [{ port: 6379, protocol: 'TCP' }] });
});

test('the plugin keeps its defaults of what is not set, for any number of replicas', () => {
  const props = {
    replicas: 3,
    artifactRoot: new GcsArtifacts({ bucket: 'models', identity: GoogleIdentity.ambient() }),
  };
  const names = Object.keys(env(container(serverManifests(oidc({}, props)), 'mlflow')));
  expect(names.filter((name) => /SCOPE|ATTRIBUTE|COOKIE|CACHE_/.test(name))).toEqual([]);
});

test('without a pool of MLflow, the plugin has its own sizes', () => {
  const names = Object.keys(env(container(serverManifests(oidc({}, { pooling: PoolingProfile.NONE })), 'mlflow')));
  expect(names.filter((name) => name.startsWith('OIDC_DB_POOL'))).toEqual([]);
});

test.each<[Partial<MlflowServerProps>, string]>([
  [
    oidc({ issuerUrl: 'https://sso.example.com/.well-known/openid-configuration' }),
    '`auth.issuerUrl` must be the URL of an identity provider, as in the `iss` of its tokens, got "https://sso.example.com/.well-known/openid-configuration". Leave out /.well-known/openid-configuration.',
  ],
  [oidc({ database: 'x'.repeat(64) }), `\`auth.database\` must have 1 to 63 bytes, got "${'x'.repeat(64)}".`],
  [
    oidc({ scopes: ['email'] }),
    '`auth.scopes` must contain openid, got "email". The provider sends no ID token without it.',
  ],
  [
    oidc({ scopes: ['openid', 'a,b'] }),
    '`auth.scopes` must be scopes without spaces, commas, quotes and backslashes, got "a,b".',
  ],
  [oidc({ groupsClaim: 'a b' }), '`auth.groupsClaim` must be the name of a claim, got "a b".'],
  [
    oidc({ cookie: { name: 'a b', lifetime: Duration.millis(5) } }),
    '`auth.cookie.name` must be the name of a cookie, without spaces and separators, got "a b".\n[chart/mlflow] `auth.cookie.lifetime` must be a whole number of seconds from 1, got 0.005.',
  ],
  [
    oidc({ redirectUrl: 'http://a/callback', cookie: { secure: true } }),
    '`auth.cookie.secure` must not be true with an `auth.redirectUrl` that begins with http:, since browsers then drop the cookie. Leave it out, or use https.',
  ],
  [
    oidc({ cookie: { secure: false, sameSite: SameSite.NONE } }),
    '`auth.cookie.secure` must not be false with SameSite.NONE, since browsers then drop the cookie. Leave one of them out.',
  ],
  [
    oidc({ redisCache: { url: SecretKey.fromSecretName('A', 'x') } }),
    '`auth.redisCache.url` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
  ],
  [oidc({ redirectUrl: 'b' }), '`auth.redirectUrl` must be a URL with scheme, host and path, got "b".'],
  [
    oidc({}, { httpRoute: { gateways: [{ name: 'a' }], hosts: ['a.b'], path: '/x' } }),
    '`httpRoute.path` must be / with MlflowAuth.oidc(), got "/x". The pages of the plugin are at the root, not below `staticPrefix`.',
  ],
  [
    oidc({}, { staticPrefix: '/x', ingress: { hosts: ['a.b'] } }),
    '`ingress.path` must be / with MlflowAuth.oidc(), got "/x". The pages of the plugin are at the root, not below `staticPrefix`.',
  ],
  [
    oidc({}, { extraEnvVars: { OIDC_CLIENT_ID: EnvValue.fromValue('x') } }),
    '`extraEnvVars.OIDC_CLIENT_ID` must not be set: the library sets it itself. Use `auth`.',
  ],
])('%#: refuses what cannot work', (props, message) => {
  expect(() => server(chart(), props)).toThrow(new Error(`[chart/mlflow] ${message}`));
});
