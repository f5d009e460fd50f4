import {
  type MlflowServerProps,
  MlflowWebhook,
  type MlflowWebhookProps,
  NetworkPeer,
  SecretKey,
  WebhookEvent,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';

import { type Manifest, only } from '../support/synth';

import { basicAuth, declared, jobOf, objectsIn } from './declared';

const url = 'https://ci.example.com/mlflow';
const events = [WebhookEvent.REGISTERED_MODEL_CREATED, WebhookEvent.MODEL_VERSION_CREATED];
const secret = SecretKey.fromSecretName('ci', 'secret');
const withKey = { encryption: { webhookKey: SecretKey.fromSecretName('mlflow', 'webhook-key') } };
const lets = (...names: string[]): Partial<MlflowServerProps> => ({
  ...withKey,
  extraEnvVars: Object.fromEntries(names.map((name) => [name, EnvValue.fromValue('true')])),
});

function webhook(props: Partial<MlflowWebhookProps> = {}, server: Partial<MlflowServerProps> = withKey): Manifest[] {
  return declared((scope, objects) => {
    new MlflowWebhook(scope, 'ci', { objects, url, events, ...props });
  }, server);
}

test('all fields, and never the secret', () => {
  const props = { webhookName: 'CI', description: 'x', isActive: false, secret, workspace: 'team' };
  const manifests = webhook(props, { ...withKey, workspaces: true });
  expect(objectsIn(manifests)).toEqual([
    {
      kind: 'webhook',
      name: 'CI',
      workspace: 'team',
      url,
      events: ['model_version.created', 'registered_model.created'],
      description: 'x',
      is_active: false,
      variable: 'OBJECT_0_PASSWORD',
    },
  ]);
  expect(jobOf(manifests).containers[0].env).toContainEqual({
    name: 'OBJECT_0_PASSWORD',
    valueFrom: { secretKeyRef: { name: 'ci', key: 'secret' } },
  });
});

test('a webhook without a secret needs no key, and its name is public', () => {
  const manifests = declared((scope, objects) => {
    expect(new MlflowWebhook(scope, 'ci', { objects, url, events }).webhookName).toBe('ci');
  });
  expect(objectsIn(manifests)[0]).not.toHaveProperty('variable');
});

test('the pods of an isolated server reach the receivers', () => {
  const manifests = declared(
    (scope, objects) => {
      const route = { peers: [NetworkPeer.cidr('192.0.2.1/32')] };
      new MlflowWebhook(scope, 'a', { objects, url, events });
      new MlflowWebhook(scope, 'b', { objects, url: 'https://cd.example.com:8443/', events, route });
    },
    { isolation: {} },
  );
  const [policy, ...others] = manifests.filter(
    ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'mlflow-webhooks',
  );
  expect(others).toEqual([]);
  expect(policy?.spec).toMatchObject({
    podSelector: { matchLabels: only(manifests, 'Deployment').spec.selector.matchLabels as unknown },
    policyTypes: ['Egress'],
    egress: [
      expect.any(Object),
      { ports: [{ port: 443, protocol: 'TCP' }] },
      { ports: [{ port: 8443, protocol: 'TCP' }], to: [{ ipBlock: { cidr: '192.0.2.1/32' } }] },
    ],
  });
});

test('addresses in the cluster, where the server allows them', () => {
  const server = lets('MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS', 'MLFLOW_WEBHOOK_ALLOWED_SCHEMES');
  const manifests = webhook({ url: 'http://ci.tools.svc/' }, { ...server, isolation: {} });
  const policy = manifests.find(({ metadata }) => metadata.name === 'mlflow-webhooks');
  expect(policy?.spec.egress[1]).toEqual({ ports: [{ port: 80, protocol: 'TCP' }] });
});

const URLS = 'must be a URL of https, of at most 500 characters';
const PUBLIC =
  "Or allow them to everybody who may make webhooks: `extraEnvVars` of the server, MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: EnvValue.fromValue('true').";

test.each<[string, Partial<MlflowWebhookProps>, string]>([
  ['no TLS', { url: 'http://ci.example.com' }, `\`url\` ${URLS}, got "http://ci.example.com".`],
  ['no URL', { url: 'ci.example.com' }, `\`url\` ${URLS}, got "ci.example.com".`],
  [
    'a login in the URL',
    { url: 'https://u:p@ci.example.com/' },
    '`url` must be without a login: it is in the manifest. Let the receiver verify `secret`.',
  ],
  [
    'an address in the cluster',
    { url: 'https://ci.tools.svc/' },
    `\`url\` must be at a public address: MLflow refuses others, got "https://ci.tools.svc/". ${PUBLIC}`,
  ],
  [
    'a private address',
    { url: 'https://172.20.0.1/' },
    `\`url\` must be at a public address: MLflow refuses others, got "https://172.20.0.1/". ${PUBLIC}`,
  ],
  ['no event', { events: [] }, '`events` must name at least one event, got none.'],
  [
    'an event twice',
    { events: [...events, WebhookEvent.MODEL_VERSION_CREATED] },
    '`events` must name each event once, got "model_version.created".',
  ],
  [
    'a name with a space',
    { webhookName: 'c i' },
    '`webhookName` must be 1 to 63 letters, digits and inner dots, underscores and dashes, got "c i".',
  ],
  [
    'a description that is too long',
    { description: 'x'.repeat(1001) },
    `\`description\` must have at most 1000 characters, got "${'x'.repeat(1001)}".`,
  ],
])('%s', (_, props, text) => {
  expect(() => webhook(props)).toThrow(new Error(`[chart/ci] ${text}`));
});

test('a secret that the server could not keep', () => {
  expect(() => webhook({ secret }, basicAuth())).toThrow(
    new Error(
      '[chart/ci] `secret` needs a server with a key for it, and "mlflow" has none. Set `encryption.webhookKey` of the server.',
    ),
  );
});

test('two of one name', () => {
  expect(() =>
    declared((scope, objects) => {
      ['a', 'b'].forEach((id) => new MlflowWebhook(scope, id, { objects, url, events, webhookName: 'ci' }));
    }),
  ).toThrow(
    new Error(
      '[chart/b] the webhook "ci" must be declared once for each server, and chart/a declares it. Declare all of it there.',
    ),
  );
});
