import { Duration } from 'cdk8s';
import {
  type AiGatewayOptions,
  type MlflowServerProps,
  NetworkPeer,
  S3Artifacts,
  AwsIdentity,
  SecretKey,
} from 'cdk8s-mlflow';

import { edges } from '../support/edges';
import { container, env, type Manifest, serverManifests } from '../support/synth';

const bucket = new S3Artifacts({ bucket: 'models', prefix: 'team', identity: AwsIdentity.fromSecretName('s3') });
const mlflow = (props: Partial<MlflowServerProps>): Manifest => container(serverManifests(props), 'mlflow');
const bad = (props: Partial<MlflowServerProps>, ...lines: string[]): void => {
  expect(() => serverManifests(props)).toThrow(new Error(lines.map((line) => `[chart/mlflow] ${line}`).join('\n')));
};

describe('workspaces', () => {
  test('are an argument, and off by default', () => {
    expect(mlflow({ workspaces: true }).args).toContain('--enable-workspaces');
    expect(mlflow({}).args).not.toContain('--enable-workspaces');
  });

  test('have no second way', () => {
    bad(
      { workspaces: true, extraArgs: ['--disable-workspaces'] },
      '`extraArgs --disable-workspaces` must not be set: the library sets it itself. Use `workspaces`.',
    );
  });
});

describe('the AI Gateway', () => {
  const gateway = (aiGateway: AiGatewayOptions): Record<string, Manifest> =>
    Object.fromEntries(
      Object.entries(env(mlflow({ aiGateway }))).filter(([name]) => name.startsWith('MLFLOW_GATEWAY')),
    );
  const out = (aiGateway?: AiGatewayOptions): string[] =>
    edges(serverManifests({ aiGateway, isolation: {} }), 'mlflow').filter((edge) => /^out (?!53|5432)/.test(edge));
  const budgetRedis = { url: SecretKey.fromSecretName('redis', 'url') };

  test('is as MLflow has it, where nothing is said', () => {
    expect(gateway({})).toEqual({});
    expect(gateway({ allowHttp: false, allowPrivateAddresses: false })).toEqual({});
  });

  test('has private upstreams, providers, a time limit and one count of the budgets', () => {
    const allowedProviders = ['openai', 'anthropic'];
    const options = { allowedProviders, allowPrivateAddresses: true, allowHttp: true, timeout: Duration.minutes(2) };
    expect(gateway({ ...options, budgetRedis })).toEqual({
      MLFLOW_GATEWAY_ALLOWED_PROVIDERS: 'openai,anthropic',
      MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS: 'true',
      MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES: 'https,http',
      MLFLOW_GATEWAY_ROUTE_TIMEOUT_SECONDS: '120',
      MLFLOW_GATEWAY_BUDGET_REDIS_URL: { secretKeyRef: { name: 'redis', key: 'url' } },
    });
  });

  test('reaches its upstreams from an isolated pod', () => {
    expect(out()).toEqual([]);
    expect(out({})).toEqual(['out 443/TCP to anybody']);
    const upstreams = [{ peers: [NetworkPeer.podsOf('models', { app: 'vllm' })], ports: [8000] }];
    expect(out({ upstreams, budgetRedis })).toEqual([
      'out 8000/TCP to app=vllm of metadata.name=models',
      'out 6379/TCP to anybody',
    ]);
    expect(out({ upstreams: [] })).toEqual([]);
  });

  test('refuses what cannot be', () => {
    bad(
      {
        aiGateway: {
          allowedProviders: [],
          upstreams: [{ peers: [], ports: [8000] }],
          timeout: Duration.seconds(0),
          budgetRedis: { url: SecretKey.fromSecretName('A_B', 'url') },
        },
      },
      '`aiGateway.allowedProviders` must name at least one provider, got none. Leave it out to allow all of them.',
      '`aiGateway.upstreams[0].peers` must name at least one peer, got none. Leave it out for any address.',
      '`aiGateway.timeout` must be a whole number of seconds from 1, got 0.',
      '`aiGateway.budgetRedis.url` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A_B".',
    );
    bad(
      { aiGateway: { allowedProviders: ['openai', 'OpenAI,anthropic'] } },
      '`aiGateway.allowedProviders[1]` must be the name of a provider, in lower-case letters, as MLflow has it, got "OpenAI,anthropic".',
    );
  });
});

describe('the archival of traces', () => {
  function configOf(props: Partial<MlflowServerProps>): unknown {
    const manifests = serverManifests(props);
    const [map] = manifests.filter(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('mlflow-trace-archival-'),
    );
    return JSON.parse(map.data['trace-archival.yaml']).trace_archival;
  }

  test('goes to the artifacts of the experiment', () => {
    const retention = Duration.days(30);
    expect(configOf({ traceArchival: { retention, longRetentionExperiments: ['7'] }, artifactRoot: bucket })).toEqual({
      enabled: true,
      location: 's3://models/team',
      retention: '43200m',
      long_retention_allowlist: ['7'],
    });
    expect(configOf({ traceArchival: { retention } })).toEqual({
      enabled: true,
      location: 'file:///mlflow/artifacts',
      retention: '43200m',
    });
    const config = '/etc/mlflow-trace-archival/trace-archival.yaml';
    expect(env(mlflow({ traceArchival: { retention } })).MLFLOW_TRACE_ARCHIVAL_CONFIG).toBe(config);
  });

  test('refuses what MLflow would', () => {
    bad(
      { traceArchival: { retention: Duration.seconds(90), longRetentionExperiments: ['1', '2,3'] } },
      '`traceArchival.retention` must be whole minutes, got "90 s".',
      '`traceArchival.longRetentionExperiments[1]` must be the id of an experiment, got "2,3".',
    );
    bad(
      { traceArchival: { retention: Duration.minutes(0) }, extraArgs: ['--trace-archival-config=x'] },
      '`traceArchival.retention` must be a whole number of seconds from 1, got 0.',
      '`extraArgs --trace-archival-config=x` must not be set: the library sets it itself. Use `traceArchival`.',
    );
  });
});
