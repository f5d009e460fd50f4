import {
  type GatewayModelOptions,
  MlflowGatewayEndpoint,
  type MlflowGatewayEndpointProps,
  MlflowObjects,
  MlflowServer,
  type MlflowServerProps,
  NetworkPeer,
  SecretKey,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';

import { anyBackend, chart, type Manifest } from '../support/synth';

import { basicAuth, declared, jobOf, objectsIn } from './declared';

const apiKey = SecretKey.fromSecretName('providers', 'openai');
const openai: GatewayModelOptions = { provider: 'openai', modelName: 'gpt-4o-mini', apiKey };
const vllm = { ...openai, apiBase: 'http://vllm.models.svc:8000/v1' };
const models = [openai];
const withKey = { encryption: { passphrase: SecretKey.fromSecretName('mlflow', 'passphrase') } };
const upstreams = [{ peers: [NetworkPeer.podsOf('models', { app: 'vllm' })], ports: [8000] }];

function endpoint(
  props: Partial<MlflowGatewayEndpointProps> = {},
  server: Partial<MlflowServerProps> = withKey,
): Manifest[] {
  return declared((scope, objects) => {
    new MlflowGatewayEndpoint(scope, 'chat', { objects, models, ...props });
  }, server);
}

test('all fields, and never a key', () => {
  const azure: GatewayModelOptions = {
    provider: 'azure',
    modelName: 'ours',
    apiKey: SecretKey.fromSecretName('providers', 'azure'),
    apiBase: 'https://ours.openai.azure.com',
    authConfig: { api_version: '2024-10-21' },
  };
  const manifests = endpoint(
    { endpointName: 'Chat_1.x', models: [openai, azure], usageTracking: false, workspace: 'team' },
    { ...withKey, workspaces: true },
  );
  expect(objectsIn(manifests)).toEqual([
    {
      kind: 'gateway endpoint',
      name: 'Chat_1.x',
      workspace: 'team',
      models: [
        { provider: 'openai', model_name: 'gpt-4o-mini', auth_config: {} },
        {
          provider: 'azure',
          model_name: 'ours',
          auth_config: { api_version: '2024-10-21', api_base: 'https://ours.openai.azure.com' },
        },
      ],
      usage_tracking: false,
      variables: ['OBJECT_0_1_PASSWORD', 'OBJECT_0_2_PASSWORD'],
    },
  ]);
  expect(jobOf(manifests).containers[0].env).toEqual(
    expect.arrayContaining([
      { name: 'OBJECT_0_1_PASSWORD', valueFrom: { secretKeyRef: { name: 'providers', key: 'openai' } } },
      { name: 'OBJECT_0_2_PASSWORD', valueFrom: { secretKeyRef: { name: 'providers', key: 'azure' } } },
    ]),
  );
});

test('its name is public, and nothing is said of usage tracking that is not declared', () => {
  const manifests = declared((scope, objects) => {
    expect(new MlflowGatewayEndpoint(scope, 'chat', { objects, models }).endpointName).toBe('chat');
  }, withKey);
  expect(objectsIn(manifests)[0]).not.toHaveProperty('usage_tracking');
});

test.each<[string, GatewayModelOptions, Partial<MlflowServerProps>]>([
  ['a model in the cluster', vllm, { aiGateway: { allowHttp: true, allowPrivateAddresses: true } }],
  [
    'a model in the cluster, of an isolated server',
    vllm,
    { aiGateway: { allowHttp: true, allowPrivateAddresses: true, upstreams }, isolation: {} },
  ],
  ['an isolated server', { ...openai, apiBase: 'https://api.example.com/v1' }, { aiGateway: {}, isolation: {} }],
  [
    'a passphrase in a variable',
    openai,
    { encryption: {}, extraEnvVars: { MLFLOW_CRYPTO_KEK_PASSPHRASE: EnvValue.fromValue('x') } },
  ],
])('%s', (_, model, server) => {
  expect(() => endpoint({ models: [model] }, { ...withKey, ...server })).not.toThrow();
});

test('a server that is elsewhere, of which nothing is known', () => {
  const scope = chart('ml');
  const attributes = { serverName: 'tracking', backend: anyBackend(scope), artifactRoot: new VolumeArtifacts() };
  const server = MlflowServer.fromAttributes(scope, 'elsewhere', attributes);
  const objects = new MlflowObjects(scope, 'objects', { server });
  expect(() => new MlflowGatewayEndpoint(scope, 'chat', { objects, models: [vllm] })).not.toThrow();
});

const URLS = 'must be a URL of https, of at most 2048 characters';
const HTTP = 'HTTP needs `aiGateway.allowHttp` of the server.';
const of = (fields: Partial<GatewayModelOptions>): Partial<MlflowGatewayEndpointProps> => ({
  models: [{ ...openai, ...fields }],
});

test.each<[string, Partial<MlflowGatewayEndpointProps>, string]>([
  [
    'a name with a slash',
    { endpointName: 'a/b' },
    '`endpointName` must be 1 to 180 letters, digits, dots, underscores and dashes, got "a/b".',
  ],
  ['no model', { models: [] }, '`models` must name at least one model, got none.'],
  [
    'a provider that has no such name',
    of({ provider: 'OpenAI' }),
    '`models[0].provider` must be the name of a provider, in at most 64 lower-case letters, as MLflow has it, got "OpenAI".',
  ],
  [
    'a name that is too long',
    of({ modelName: 'x'.repeat(257) }),
    `\`models[0].modelName\` must have at most 256 characters, got "${'x'.repeat(257)}".`,
  ],
  ['no URL', of({ apiBase: 'api.example.com' }), `\`models[0].apiBase\` ${URLS}, got "api.example.com". ${HTTP}`],
  [
    'no TLS',
    of({ apiBase: 'http://api.example.com' }),
    `\`models[0].apiBase\` ${URLS}, got "http://api.example.com". ${HTTP}`,
  ],
  [
    'a login in the URL',
    of({ apiBase: 'https://u:p@api.example.com' }),
    '`models[0].apiBase` must be without a login: it is in the manifest. Give the key in `apiKey`.',
  ],
  [
    'an address in the cluster',
    of({ apiBase: 'https://vllm.models.svc' }),
    '`models[0].apiBase` must be at a public address: MLflow refuses others, got "https://vllm.models.svc". Or allow them to everybody who may add keys: `aiGateway.allowPrivateAddresses` of the server.',
  ],
  [
    'an address among the settings',
    of({ authConfig: { api_base: 'https://api.example.com' } }),
    '`authConfig.api_base` must not be set: the library sets it itself. Use `apiBase`.',
  ],
  [
    'a setting that MLflow refuses',
    of({ authConfig: { base_url: 'https://api.example.com' } }),
    '`models[0].authConfig` must have none of the settings that MLflow refuses, got "base_url". Set `apiBase`.',
  ],
])('%s', (_, props, text) => {
  expect(() => endpoint(props)).toThrow(new Error(`[chart/chat] ${text}`));
});

test.each<[string, Partial<GatewayModelOptions>, Partial<MlflowServerProps>, string]>([
  [
    'a provider that the server does not allow',
    { provider: 'mistral' },
    { aiGateway: { allowedProviders: ['openai', 'anthropic'] } },
    '`models[0].provider` must be one that the server allows: openai, anthropic, got "mistral". Or add it to `aiGateway.allowedProviders` of the server.',
  ],
  [
    'a port that an isolated server does not reach',
    { apiBase: 'https://api.example.com:8443/' },
    { aiGateway: {}, isolation: {} },
    '`models[0].apiBase` must be at port 443, the only one to which "mlflow" may connect, got "https://api.example.com:8443/". Or name the route to it: `aiGateway.upstreams` of the server.',
  ],
  [
    'an isolated server without a gateway',
    {},
    { isolation: {} },
    '`objects` must be of a server that may connect to providers, and "mlflow" is isolated. Set `aiGateway` of the server.',
  ],
  [
    'a server that encrypts keys with a public passphrase',
    {},
    { encryption: {} },
    '`apiKey` needs a server with a passphrase for it, and "mlflow" has none. Set `encryption.passphrase` of the server: otherwise MLflow encrypts keys with the public passphrase in its source.',
  ],
])('%s', (_, fields, server, text) => {
  expect(() => endpoint(of(fields), { ...withKey, ...server })).toThrow(new Error(`[chart/chat] ${text}`));
});

test('two of one name, and the same name in another workspace', () => {
  const twice = (workspaces: (string | undefined)[]): Manifest[] =>
    declared(
      (scope, objects) => {
        workspaces.forEach((workspace, i) => {
          new MlflowGatewayEndpoint(scope, `chat-${String(i)}`, { objects, models, workspace, endpointName: 'chat' });
        });
      },
      { ...basicAuth(), workspaces: true },
    );
  expect(() => twice(['a1', undefined])).not.toThrow();
  expect(() => twice([undefined, undefined])).toThrow(
    new Error(
      '[chart/chat-1] the gateway endpoint "chat" must be declared once for each server, and chart/chat-0 declares it. Declare all of it there.',
    ),
  );
});
