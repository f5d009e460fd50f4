import { Testing } from 'cdk8s';
import {
  type BasicAuthOptions,
  type CustomAuthOptions,
  CustomLogin,
  FileSource,
  MlflowAuth,
  type MlflowServerProps,
  NetworkPeer,
  ReadinessCheck,
  SecretKey,
} from 'cdk8s-mlflow';
import { Duration } from 'cdk8s';
import { EnvValue } from 'cdk8s-plus-28';

import { Ldap } from '../../../examples/ldap';
import { chart, container, env, type Manifest, only, podOf, server, serverManifests } from '../../support/synth';

const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);
const encryption = { passphrase: key('passphrase') };
const basic = { adminPassword: key('admin-password'), flaskSecretKey: key('flask-key') };
const FUNCTION = 'ldap_auth:authenticate';

function custom(options: Partial<CustomAuthOptions> = {}): Partial<MlflowServerProps> {
  return { auth: MlflowAuth.custom({ login: CustomLogin.app('our-auth'), ...options }), encryption };
}

function byFunction(options: Partial<BasicAuthOptions> = {}, name = FUNCTION): Partial<MlflowServerProps> {
  return custom({ login: CustomLogin.authorizationFunction(name, { ...basic, ...options }) });
}

const ini = (manifests: Manifest[]): string | undefined =>
  manifests.find(({ kind, data }) => kind === 'ConfigMap' && data['basic_auth.ini'])?.data['basic_auth.ini'] as string;

test('a function is basic-auth with another way to know the users', () => {
  const manifests = serverManifests(byFunction({ grantDefaultWorkspaceAccess: true }));
  expect(ini(manifests)).toContain('\nauthorization_function = ldap_auth:authenticate\n');
  expect(ini(manifests)).toContain('\ngrant_default_workspace_access = true\n');
  expect(container(manifests, 'mlflow').args).toContain('--app-name=basic-auth');
  expect(env(container(manifests, 'init-mlflow'))).toHaveProperty('MLFLOW_AUTH_ADMIN_PASSWORD');
});

test('an app has its name, and MLflow prepares no users', () => {
  const manifests = serverManifests(custom());
  expect(container(manifests, 'mlflow').args).toContain('--app-name=our-auth');
  expect(ini(manifests)).toBeUndefined();
  expect(env(container(manifests, 'init-mlflow'))).not.toHaveProperty('MLFLOW_AUTH_CONFIG_PATH');
});

test('files, variables, secrets and routes are those of the server alone', () => {
  const manifests = serverManifests({
    ...custom({
      files: {
        'ldap_auth.py': FileSource.fromConfigMap('code', 'a.py'),
        'our_auth-1.0.dist-info/entry_points.txt': FileSource.fromSecret('more', 'b'),
      },
      envVariables: { LDAP_URL: EnvValue.fromValue('ldaps://ldap') },
      secrets: { LDAP_PASSWORD: key('ldap') },
      routes: [{ peers: [NetworkPeer.cidr('10.1.0.0/16')], ports: [636] }],
    }),
    isolation: {},
  });
  const mlflow = container(manifests, 'mlflow');
  expect(env(mlflow)).toMatchObject({
    PYTHONPATH: '/opt/mlflow/scripts:/opt/mlflow/login',
    LDAP_URL: 'ldaps://ldap',
    LDAP_PASSWORD: { secretKeyRef: { name: 'auth', key: 'ldap' } },
  });
  const mount = (path: string, name: string) => ({
    mountPath: `/opt/mlflow/login/${path}`,
    name,
    subPath: 'file',
    readOnly: true,
  });
  expect(mlflow.volumeMounts).toContainEqual(mount('ldap_auth.py', 'auth-file-0'));
  expect(mlflow.volumeMounts).toContainEqual(mount('our_auth-1.0.dist-info/entry_points.txt', 'auth-file-1'));
  expect(podOf(manifests).volumes).toEqual(
    expect.arrayContaining([
      { name: 'auth-file-0', configMap: { name: 'code', items: [{ key: 'a.py', path: 'file', mode: 0o440 }] } },
      { name: 'auth-file-1', secret: { secretName: 'more', items: [{ key: 'b', path: 'file', mode: 0o440 }] } },
    ]),
  );
  expect(only(manifests, 'NetworkPolicy').spec.egress).toContainEqual({
    to: [{ ipBlock: { cidr: '10.1.0.0/16' } }],
    ports: [{ port: 636, protocol: 'TCP' }],
  });
  const init = container(manifests, 'init-mlflow');
  expect(env(init)).not.toHaveProperty('LDAP_PASSWORD');
  expect(JSON.stringify(init.volumeMounts)).not.toContain('auth-file');
});

test('without a login of your own, Python imports from the scripts alone', () => {
  expect(env(container(serverManifests(), 'mlflow'))).toMatchObject({ PYTHONPATH: '/opt/mlflow/scripts' });
});

test('the example of the page about logins', () => {
  const mlflow = container(Testing.synth(new Ldap(Testing.app(), 'ldap')), 'mlflow');
  expect(env(mlflow)).toMatchObject({ LDAP_USERS: 'ou=people,dc=example,dc=com' });
});

const itself = 'must not be set: the library sets it itself.';
const noLogin =
  '`readinessCheck` must not be DATABASE with an `auth` that requires a login, which the probe does not have. Leave it out.';

test.each<[string, Partial<MlflowServerProps>, string]>([
  [
    'an app that has a factory',
    custom({ login: CustomLogin.app('basic-auth') }),
    '`auth.login` must be an app of your own, got "basic-auth". Use MlflowAuth.basic().',
  ],
  [
    'no name of an app',
    custom({ login: CustomLogin.app('our auth') }),
    '`auth.login` must be the name of an entry point of the group mlflow.app, got "our auth".',
  ],
  [
    'a function without a module',
    byFunction({}, 'authenticate'),
    '`auth.login` must name an authorization function as module:function, got "authenticate".',
  ],
  [
    'a cache that the function does not use',
    byFunction({ passwordCache: Duration.minutes(1) }),
    '`auth.passwordCache` and `auth.passwordCacheSize` must be left out with an authorization function of your own: MLflow calls it at each request. Cache in the function.',
  ],
  [
    'a path out of the folder',
    custom({ files: { '../a.py': FileSource.fromConfigMap('code', 'a.py') } }),
    '`auth.files` must have paths of letters, digits, dots, dashes and slashes, got "../a.py".',
  ],
  [
    'a file of no Secret',
    custom({ files: { 'a.py': FileSource.fromSecret('A', 'a.py') } }),
    '`auth.files["a.py"]` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
  ],
  [
    'no name of a variable',
    custom({ envVariables: { 'A-B': EnvValue.fromValue('x') } }),
    '`auth.envVariables` must have names of letters, digits and underscores, got "A-B".',
  ],
  [
    'a variable of the server',
    custom({ secrets: { MLFLOW_HOST: key('x') } }),
    '`auth.secrets.MLFLOW_HOST` must not be set: the library sets it itself.',
  ],
  [
    'a variable that the server has',
    custom({ secrets: { PYTHONPATH: key('x') } }),
    `\`auth.secrets.PYTHONPATH\` ${itself}`,
  ],
  [
    'a variable twice',
    custom({ envVariables: { A: EnvValue.fromValue('x') }, secrets: { A: key('x') } }),
    '`auth.envVariables.A` must not be set: the library sets it itself. Use `auth.secrets`.',
  ],
  [
    'a route to no port',
    custom({ routes: [{ ports: [] }] }),
    '`auth.routes[0].ports` must name at least one port, got none.',
  ],
  ['a probe without a login', { ...custom(), readinessCheck: ReadinessCheck.DATABASE }, noLogin],
])('refuses %s', (_, props, message) => {
  expect(() => server(chart(), props)).toThrow(new Error(`[chart/mlflow] ${message}`));
});
