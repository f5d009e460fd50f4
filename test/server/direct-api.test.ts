import { CustomLogin, MlflowAuth, type MlflowServerProps, SecretKey } from 'cdk8s-mlflow';

import { container, scriptsOf, serverManifests } from '../support/synth';

const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);
const encryption = { passphrase: key('passphrase') };
const basic = MlflowAuth.basic({ adminPassword: key('admin-password'), flaskSecretKey: key('flask-key') });
const byFunction = CustomLogin.authorizationFunction('login:check', {
  adminPassword: key('admin-password'),
  flaskSecretKey: key('flask-key'),
});
const oauth2Proxy = MlflowAuth.oauth2Proxy({
  issuerUrl: 'https://sso.example.com',
  clientId: 'mlflow',
  clientSecret: key('client-secret'),
  cookieSecret: key('cookie-secret'),
  emailDomains: ['example.com'],
});
const oidc = MlflowAuth.oidc({
  issuerUrl: 'https://sso.example.com',
  clientId: 'mlflow',
  clientSecret: key('client-secret'),
  sessionSecretKey: key('session-key'),
  database: 'mlflow_users',
});

test.each<[string, boolean, Partial<MlflowServerProps>]>([
  ['by default', true, {}],
  ['where that is asked for', true, { directApi: true }],
  ['with a login of MLflow', true, { auth: basic, encryption }],
  ['with a function that knows the users', true, { auth: MlflowAuth.custom({ login: byFunction }), encryption }],
  ['behind oauth2-proxy', true, { auth: oauth2Proxy, encryption }],
  ['with another option of uvicorn', true, { extraArgs: ['--uvicorn-opts=--backlog=10'] }],
  ['where that is not wanted', false, { directApi: false }],
  ['with workspaces', false, { workspaces: true, auth: basic, encryption }],
  ['with an app of a plugin', false, { auth: oidc, encryption }],
  ['with an app of your own', false, { auth: MlflowAuth.custom({ login: CustomLogin.app('mine') }), encryption }],
  ['with another protocol of uvicorn', false, { extraArgs: ['--uvicorn-opts=--backlog=10 --http h11'] }],
  ['with a path of uvicorn', false, { extraArgs: ['--uvicorn-opts=--root-path=/x'] }],
  ['with addresses of proxies', false, { extraArgs: ['--uvicorn-opts=--no-proxy-headers'] }],
])('%s, the REST API goes directly to its handlers: %s', (_, isDirect, props) => {
  const manifests = serverManifests(props);
  const { args } = container(manifests, 'mlflow') as { args: string[] };
  const uvicorn = args.find((each) => each.startsWith('--uvicorn-opts='));
  expect(uvicorn?.includes(' --http=direct_api:Protocol ')).toBe(isDirect);
});

test('servers with and without share their scripts', () => {
  const [with_, without] = [true, false].map((directApi) => scriptsOf(serverManifests({ directApi })));
  expect(with_?.data).toHaveProperty(['direct_api.py']);
  expect(without).toEqual(with_);
});
