import { Testing } from 'cdk8s';
import {
  CloudSqlIpType,
  CloudSqlLogin,
  CloudSqlPostgres,
  type CloudSqlPostgresProps,
  GoogleIdentity,
  NetworkPeer,
  PostgresCredentials,
} from 'cdk8s-mlflow';
import { Cpu, EnvValue } from 'cdk8s-plus-28';

import { edges } from '../../support/edges';
import { chart, container, env, type Manifest, only, podOf, server } from '../../support/synth';

type Props = Partial<CloudSqlPostgresProps>;

const INSTANCE = 'shop:europe-west1:mlflow';
const ACCOUNT = 'mlflow@shop.iam.gserviceaccount.com';
const IAM = CloudSqlLogin.iam('mlflow@shop.iam');
const PASSWORD = CloudSqlLogin.password(PostgresCredentials.fromSecretName('login'));

function synth(props: Props = {}, isolated = false): Manifest[] {
  const scope = chart();
  const backend = new CloudSqlPostgres(scope, 'postgres', { instanceConnectionName: INSTANCE, login: IAM, ...props });
  server(scope, { backend, isolation: isolated ? {} : undefined });
  return Testing.synth(scope);
}

function proxy(props: Props = {}): Manifest {
  return container(synth(props), 'cloud-sql-proxy');
}

const SETTLED = [
  '--health-check',
  '--http-address=',
  '--http-port=9801',
  '--exit-zero-on-sigterm',
  '--structured-logs',
  '--quiet',
];

test('is a native sidecar, which the others wait for', () => {
  expect(proxy()).toMatchObject({
    image: 'gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.27.0',
    restartPolicy: 'Always',
    args: [INSTANCE, '--address=127.0.0.1', '--port=5432', '--auto-iam-authn', ...SETTLED],
    env: [{ name: 'CSQL_PROXY_ENABLE_BUILTIN_METRICS', value: 'false' }],
    startupProbe: { httpGet: { path: '/startup', port: 9801 }, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { httpGet: { path: '/liveness', port: 9801 }, periodSeconds: 10, failureThreshold: 6 },
    securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true, allowPrivilegeEscalation: false },
    resources: {
      requests: { cpu: '50m', memory: '64Mi', 'ephemeral-storage': '1Gi' },
      limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': '1Gi' },
    },
  });
  expect(podOf(synth()).initContainers.map((c: Manifest) => c.name)).toEqual(['cloud-sql-proxy', 'init-mlflow']);
});

const IN_ITS_LOG = 'The container cloud-sql-proxy connects for this one: the cause is in its log';
const CAUSES = [
  {
    replaces: 'wrong-password',
    name: 'cloud-iam',
    messageContains: 'Cloud SQL IAM',
    advice:
      'Make PGUSER an IAM user of this Cloud SQL instance, and the account that the proxy is; give that account roles/cloudsql.instanceUser, and the instance the flag cloudsql.iam_authentication',
  },
  { replaces: 'refused', advice: IN_ITS_LOG, name: 'refused' },
  { replaces: 'dropped', advice: IN_ITS_LOG, name: 'dropped' },
];

test('by IAM there is no password, and no Secret at all', () => {
  const manifests = synth();
  const variables = env(container(manifests, 'mlflow'));
  expect(Object.fromEntries(Object.entries(variables).filter(([name]) => /^(PG|DATABASE)/.test(name)))).toEqual({
    PGHOST: '127.0.0.1',
    PGPORT: '5432',
    PGDATABASE: 'mlflow',
    PGUSER: 'mlflow@shop.iam',
    PGSSLMODE: 'disable',
    PGCONNECT_TIMEOUT: '5',
    PGSERVICE: 'mlflow',
    PGSERVICEFILE: '/etc/postgres-service/pg_service.conf',
    PGAPPNAME: 'mlflow',
    DATABASE_FAILURE_CAUSES: JSON.stringify(CAUSES),
  });
  expect(JSON.stringify(manifests)).not.toMatch(/secretKeyRef|"kind":"Secret"/);
});

test('with a password, the proxy does not log in itself', () => {
  const manifests = synth({ login: PASSWORD, database: 'tracking' });
  expect(container(manifests, 'cloud-sql-proxy').args).not.toContain('--auto-iam-authn');
  expect(env(container(manifests, 'init-mlflow'))).toMatchObject({
    PGDATABASE: 'tracking',
    PGUSER: { secretKeyRef: { name: 'login', key: 'username' } },
    PGPASSWORD: { secretKeyRef: { name: 'login', key: 'password' } },
  });
});

test.each([
  [CloudSqlIpType.PUBLIC, []],
  [CloudSqlIpType.PRIVATE, ['--private-ip']],
  [CloudSqlIpType.PSC, ['--psc']],
])('the address: %s', (ipType, flags) => {
  expect(proxy({ ipType }).args.slice(4, -SETTLED.length)).toEqual(flags);
});

test('image, resources and further flags', () => {
  const image = `registry.example.com/proxy@sha256:${'abcd'.repeat(16)}`;
  const of = proxy({ image, resources: { cpu: { limit: Cpu.units(2) } }, extraArgs: ['--quota-project=billing'] });
  expect(of).toMatchObject({ image, resources: { limits: { cpu: '2' } } });
  expect(of.args.slice(-2)).toEqual(['--quiet', '--quota-project=billing']);
});

test('workload identity annotates the ServiceAccount', () => {
  const manifests = synth({ identity: GoogleIdentity.fromServiceAccount(ACCOUNT) });
  expect(only(manifests, 'ServiceAccount').metadata.annotations).toEqual({ 'iam.gke.io/gcp-service-account': ACCOUNT });
  expect(only(synth(), 'ServiceAccount').metadata.annotations).toBeUndefined();
});

test('a key file is mounted into the proxy alone', () => {
  const pod = podOf(synth({ identity: GoogleIdentity.fromSecretName('google', 'key') }));
  const of = pod.initContainers[0];
  expect(env(of).GOOGLE_APPLICATION_CREDENTIALS).toBe('/etc/cloud-sql-key/key.json');
  expect(of.volumeMounts).toEqual([{ mountPath: '/etc/cloud-sql-key', name: 'cloud-sql-key', readOnly: true }]);
  expect(pod.volumes).toContainEqual({
    name: 'cloud-sql-key',
    secret: { secretName: 'google', items: [{ key: 'key', path: 'key.json', mode: 0o440 }] },
  });
  const others = [...pod.initContainers.slice(1), ...pod.containers];
  expect(JSON.stringify(others)).not.toContain('cloud-sql-key');
});

test('isolated pods reach the instance, Google’s APIs and the metadata server, and no loopback address', () => {
  const outward = (props?: Props): string[] =>
    edges(synth(props, true), 'mlflow').filter((edge) => /^out (?!53)/.test(edge));
  const metadata = ['out 80/TCP 988/TCP to 169.254.169.252/32', 'out 80/TCP 988/TCP to 169.254.169.254/32'];
  expect(outward()).toEqual(['out 3307/TCP to anybody', 'out 443/TCP to anybody', ...metadata]);
  const identity = GoogleIdentity.fromSecretName('google');
  const route = { peers: [NetworkPeer.cidr('10.20.0.0/16')] };
  expect(outward({ identity, route })).toEqual(['out 3307/TCP to 10.20.0.0/16', 'out 443/TCP to anybody']);
});

test('what connects must fit the instance', () => {
  const scope = chart();
  const backend = new CloudSqlPostgres(scope, 'postgres', {
    instanceConnectionName: INSTANCE,
    login: IAM,
    maxConnections: 25,
  });
  expect(server(scope, { backend }).node.validate()).toEqual([
    'pool-fits-database: up to 44 connections (1 pod x 44 with 2 workers) exceed the 22 that "postgres" offers. Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between. The largest pool that fits is 4 + 1.',
  ]);
});

describe('refuses', () => {
  test.each<[string, Props, string[]]>([
    ...['mlflow', 'shop:mlflow', 'shop:europe-west1:mlflow?port=1', 'shop:mlflow:europe-west1'].map(
      (name): [string, Props, string[]] => [
        `the instance "${name}"`,
        { instanceConnectionName: name },
        [
          `\`instanceConnectionName\` must be project:region:instance, got "${name}". It is what \`gcloud sql instances describe INSTANCE --format='value(connectionName)'\` prints.`,
        ],
      ],
    ),
    ...[ACCOUNT, 'mlflow'].map((user): [string, Props, string[]] => [
      `the user "${user}"`,
      { login: CloudSqlLogin.iam(user) },
      [
        `\`login\` must be the name of an account in PostgreSQL, got "${user}". For a service account, leave out .gserviceaccount.com: name@project.iam.`,
      ],
    ]),
    [
      'another user than the account of the proxy',
      { identity: GoogleIdentity.fromServiceAccount('other@shop.iam.gserviceaccount.com') },
      [
        '`login` must be the account of `identity`, other@shop.iam, got "mlflow@shop.iam". Use one account for both, or log in with a password.',
      ],
    ],
    [
      'a login without its password',
      { login: CloudSqlLogin.password(new PostgresCredentials({ username: EnvValue.fromValue('me') })) },
      ['`login` must have a password with CloudSqlLogin.password(). Use CloudSqlLogin.iam(user).'],
    ],
    [
      'no account',
      { login: PASSWORD, identity: GoogleIdentity.fromServiceAccount('mlflow') },
      ['`identity` must be a Google service account (name@project.iam.gserviceaccount.com), got "mlflow".'],
    ],
    [
      'no Secret',
      { identity: GoogleIdentity.fromSecretName('A', 'b c') },
      [
        '`identity` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
        '`identity` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "b c".',
      ],
    ],
    [
      'flags of the library’s own',
      { extraArgs: ['--token=secret', '-p=1', '--private-ip', 'shop:europe-west1:other'] },
      [
        '`extraArgs --token` must not be set: the library sets it itself. Use `identity`.',
        '`extraArgs -p` must not be set: the library sets it itself.',
        '`extraArgs --private-ip` must not be set: the library sets it itself. Use `ipType`.',
        '`extraArgs` must be flags, each with its value (--name=value), got "shop:europe-west1:other". A proxy serves one instance.',
      ],
    ],
    [
      'all at once',
      { database: '', maxConnections: 0, image: 'my proxy', route: { ports: [] } },
      [
        '`database` must be given or left out, got an empty string. If it comes from an environment variable, set that before the synthesis.',
        '`maxConnections` must be a whole number from 1 to 262143, got 0.',
        '`route.ports` must name at least one port, got none.',
        '`image` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got "my proxy". Leave out spaces and line breaks.',
      ],
    ],
  ])('%s', (_, props, texts) => {
    expect(() => synth(props)).toThrow(new Error(texts.map((text) => `[chart/postgres] ${text}`).join('\n')));
  });

  test.each([
    'example.com:shop:us-central1:a',
    'shop:northamerica-northeast1:db-1',
    'p:me-central2:x',
    'p:u-germany-northeast1:x',
  ])('but not %s', (name) => {
    expect(proxy({ instanceConnectionName: name }).args[0]).toBe(name);
  });
});
