import { Duration, Testing } from 'cdk8s';
import {
  AwsIdentity,
  FileSource,
  NetworkPeer,
  PostgresTls,
  RdsPostgres,
  type RdsPostgresProps,
  TlsCertificate,
} from 'cdk8s-mlflow';
import { Cpu } from 'cdk8s-plus-28';

import { edges } from '../../support/edges';
import { chart, container, env, type Manifest, only, podOf, server } from '../../support/synth';

type Props = Partial<RdsPostgresProps>;

const HOST = 'shop.cluster-abc.eu-west-1.rds.amazonaws.com';
const ROLE = 'arn:aws:iam::123456789012:role/mlflow';
const VERIFIED = PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('rds-ca', 'bundle.pem') });

function synth(props: Props = {}, isolated = false, readFromReplica = false): Manifest[] {
  const scope = chart();
  const backend = new RdsPostgres(scope, 'postgres', { host: HOST, user: 'shop', tls: VERIFIED, ...props });
  server(scope, { backend, readFromReplica, isolation: isolated ? {} : undefined });
  return Testing.synth(scope);
}

function writer(props: Props = {}): Manifest {
  return container(synth(props), 'rds-token');
}

const CHECK = ['python', '/opt/mlflow/scripts/write_rds_token.py', '--check'];

test('is a native sidecar, whose first token the others wait for', () => {
  expect(writer()).toMatchObject({
    image: 'ghcr.io/mlflow/mlflow:v3.18.0-full',
    restartPolicy: 'Always',
    command: ['python', '/opt/mlflow/scripts/write_rds_token.py'],
    startupProbe: { exec: { command: CHECK }, periodSeconds: 1, failureThreshold: 60 },
    livenessProbe: { exec: { command: CHECK }, periodSeconds: 30, failureThreshold: 2 },
    securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true, allowPrivilegeEscalation: false },
    resources: {
      requests: { cpu: '50m', memory: '128Mi', 'ephemeral-storage': '1Gi' },
      limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': '1Gi' },
    },
    volumeMounts: [
      { mountPath: '/run/rds-token', name: 'rds-token' },
      { mountPath: '/opt/mlflow/scripts', name: 'rds-scripts', readOnly: true },
    ],
  });
  expect(env(writer())).toEqual({
    PGUSER: 'shop',
    PGPORT: '5432',
    PGPASSFILE: '/run/rds-token/pgpass',
    RDS_HOSTS: `eu-west-1/${HOST}`,
    RDS_RENEWAL_SECONDS: '600',
    AWS_STS_REGIONAL_ENDPOINTS: 'regional',
  });
  expect(podOf(synth()).initContainers.map((c: Manifest) => c.name)).toEqual(['rds-token', 'init-mlflow']);
});

test('the others read the token at each connection, from memory', () => {
  const manifests = synth({ database: 'tracking', port: 5433 });
  const pod = podOf(manifests);
  expect(pod.volumes).toContainEqual({ name: 'rds-token', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } });
  for (const name of ['init-mlflow', 'mlflow']) {
    const each = container(manifests, name);
    const variables = Object.entries(env(each)).filter(([key]) => /^(PG(?!APPNAME)|DATABASE_[^W])/.test(key));
    expect(Object.fromEntries(variables)).toEqual({
      PGHOST: HOST,
      PGPORT: '5433',
      PGDATABASE: 'tracking',
      PGUSER: 'shop',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/etc/postgres-tls/ca/ca.crt',
      PGCONNECT_TIMEOUT: '5',
      PGSERVICE: 'mlflow',
      PGSERVICEFILE: '/etc/postgres-service/pg_service.conf',
      PGPASSFILE: '/run/postgres-password/pgpass',
      DATABASE_FAILURE_CAUSES: JSON.stringify([
        {
          replaces: 'wrong-password',
          name: 'rds-iam',
          advice:
            'GRANT rds_iam TO this user, allow the identity of the pod rds-db:connect as it at this instance, and look at the log of the container rds-token and at the clock of the node',
        },
      ]),
    });
    expect(each.volumeMounts).toContainEqual({
      mountPath: '/run/postgres-password',
      name: 'rds-token',
      readOnly: true,
    });
  }
  expect(JSON.stringify(manifests)).not.toMatch(/secretKeyRef|"kind":"Secret"/);
});

test('the script is in a ConfigMap of the chart, named by its content', () => {
  const configMap = synth().find((m: Manifest) => m.data?.['write_rds_token.py'] !== undefined);
  expect(configMap.metadata.name).toMatch(/^chart-scripts-[0-9a-f]{8}$/);
  expect(configMap.immutable).toBe(true);
  expect(Object.keys(configMap.data)).toEqual([
    'exit_codes.py',
    'init_container.py',
    'log_format.py',
    'write_rds_token.py',
  ]);
});

test('a token for each host, in its own region', () => {
  const failoverHosts = ['b.x.eu-west-1.rds.amazonaws.com', HOST];
  const readHost = 'c.x.rds.cn-north-1.amazonaws.com.cn';
  const manifests = synth({ failoverHosts, readHost }, false, true);
  expect(env(container(manifests, 'rds-token')).RDS_HOSTS).toBe(
    `eu-west-1/${HOST},eu-west-1/b.x.eu-west-1.rds.amazonaws.com,cn-north-1/${readHost}`,
  );
  expect(env(container(manifests, 'mlflow'))).toMatchObject({
    PGHOST: [HOST, ...failoverHosts].join(),
    PGTARGETSESSIONATTRS: 'read-write',
    READ_REPLICA_HOST: readHost,
  });
  const named = { host: 'db.example.internal', region: 'us-gov-west-1' };
  expect(env(writer(named)).RDS_HOSTS).toBe('us-gov-west-1/db.example.internal');
});

test('image, resources and the pace of renewal', () => {
  const image = `registry.example.com/aws@sha256:${'abcd'.repeat(16)}`;
  const resources = { cpu: { limit: Cpu.units(2) } };
  const of = writer({ image, resources, tokenRenewal: Duration.minutes(1), tls: PostgresTls.REQUIRE });
  expect(of).toMatchObject({ image, resources: { limits: { cpu: '2' } } });
  expect(env(of).RDS_RENEWAL_SECONDS).toBe('60');
});

test('a role annotates the ServiceAccount', () => {
  const manifests = synth({ identity: AwsIdentity.fromRole(ROLE) });
  expect(only(manifests, 'ServiceAccount').metadata.annotations).toEqual({ 'eks.amazonaws.com/role-arn': ROLE });
  expect(only(synth(), 'ServiceAccount').metadata.annotations).toBeUndefined();
});

test('an access key is for the sidecar alone', () => {
  const identity = AwsIdentity.fromSecretName('aws', { accessKeyIdKey: 'id', secretAccessKeyKey: 'secret' });
  const pod = podOf(synth({ identity }));
  expect(env(pod.initContainers[0])).toMatchObject({
    AWS_ACCESS_KEY_ID: { secretKeyRef: { name: 'aws', key: 'id' } },
    AWS_SECRET_ACCESS_KEY: { secretKeyRef: { name: 'aws', key: 'secret' } },
  });
  expect(JSON.stringify([...pod.initContainers.slice(1), ...pod.containers])).not.toContain('"aws"');
});

test('isolated pods reach the database, and STS and what hands out credentials as far as they need them', () => {
  const outward = (props: Props): string[] =>
    edges(synth(props, true), 'mlflow').filter((edge) => /^out (?!53)/.test(edge));
  const route = { peers: [NetworkPeer.cidr('10.20.0.0/16')] };
  const metadata = [
    'out 80/TCP to 169.254.170.23/32',
    'out 80/TCP to 169.254.169.254/32',
    'out 80/TCP to fd00:ec2::23/128',
    'out 80/TCP to fd00:ec2::254/128',
  ];
  expect(outward({})).toEqual(['out 5432/TCP to anybody', 'out 443/TCP to anybody', ...metadata]);
  expect(outward({ identity: AwsIdentity.fromRole(ROLE), route, port: 5433 })).toEqual([
    'out 5433/TCP to 10.20.0.0/16',
    'out 443/TCP to anybody',
  ]);
  expect(outward({ identity: AwsIdentity.fromRole(ROLE, { stsRoute: route }), route })).toEqual([
    'out 5432/TCP to 10.20.0.0/16',
    'out 443/TCP to 10.20.0.0/16',
  ]);
  expect(outward({ identity: AwsIdentity.fromSecretName('aws'), route })).toEqual(['out 5432/TCP to 10.20.0.0/16']);
});

describe('refuses', () => {
  const ENDPOINT = 'must be an endpoint as RDS shows it, with its region (name.id.eu-west-1.rds.amazonaws.com), got';
  const WHY = 'A token is valid for the host that it names, which cannot be an address or a DNS name of your own.';

  test.each<[string, Props, string[]]>([
    ...['db.example.com', '10.0.0.7', 'localhost'].map((host): [string, Props, string[]] => [
      `the host ${host}`,
      { host },
      [`\`host\` ${ENDPOINT} "${host}". ${WHY}`],
    ]),
    [
      'an address, also with a region',
      { host: '10.0.0.7', region: 'eu-west-1' },
      [`\`host\` ${ENDPOINT} "10.0.0.7". ${WHY}`],
    ],
    [
      'other hosts that are none',
      { failoverHosts: ['a'], readHost: 'b' },
      [`\`failoverHosts[0]\` ${ENDPOINT} "a". ${WHY}`, `\`readHost\` ${ENDPOINT} "b". ${WHY}`],
    ],
    [
      'an unset host',
      { host: '' },
      [
        '`host` must be given, got an empty string. If it comes from an environment variable, set that before the synthesis.',
      ],
    ],
    [
      'another region than in the name',
      { region: 'eu-west-2' },
      ['`region` must be that of `host`, eu-west-1, got "eu-west-2". Leave it out: each name has its own.'],
    ],
    [
      'no region',
      { host: 'db.internal', region: 'Ireland' },
      ['`region` must be the name of a region, such as eu-west-1, got "Ireland".'],
    ],
    [
      'TLS that may be none',
      { tls: PostgresTls.PREFER },
      [
        '`tls` must encrypt, since RDS accepts no token otherwise, got "prefer". Use PostgresTls.verifyFull({ ca }), or PostgresTls.REQUIRE.',
      ],
    ],
    [
      'no role',
      { identity: AwsIdentity.fromRole('mlflow') },
      ['`identity` must be the ARN of a role (arn:aws:iam::123456789012:role/name), got "mlflow".'],
    ],
    [
      'no Secret',
      { identity: AwsIdentity.fromSecretName('A', { accessKeyIdKey: 'b c' }) },
      [
        '`identity` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
        '`identity` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "b c".',
      ],
    ],
    [
      'a renewal that comes late',
      { tokenRenewal: Duration.minutes(14) },
      [
        '`tokenRenewal` must be at most 10 minutes, got "840 s". A token is valid for 15, and a renewal may need several tries.',
      ],
    ],
    [
      'all at once',
      {
        user: '',
        database: '',
        tokenRenewal: Duration.millis(500),
        tls: PostgresTls.verifyFull({
          ca: FileSource.fromSecret('A', 'ca'),
          clientCertificate: TlsCertificate.fromSecretName('client'),
        }),
        maxConnections: 0,
        image: 'my image',
        route: { ports: [] },
      },
      [
        '`database` must be given or left out, got an empty string. If it comes from an environment variable, set that before the synthesis.',
        '`user` must be given, got an empty string. If it comes from an environment variable, set that before the synthesis.',
        '`maxConnections` must be a whole number from 1 to 262143, got 0.',
        '`route.ports` must name at least one port, got none.',
        '`tls.ca` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
        '`tokenRenewal` must be a whole number of seconds from 1, got 0.5.',
        '`image` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got "my image". Leave out spaces and line breaks.',
      ],
    ],
  ])('%s', (_, props, texts) => {
    expect(() => synth(props)).toThrow(new Error(texts.map((text) => `[chart/postgres] ${text}`).join('\n')));
  });

  test.each([
    'db.proxy-abc.ap-southeast-2.rds.amazonaws.com',
    'db.abc.us-gov-east-1.rds.amazonaws.com',
    'db.abc.us-iso-east-1.rds.c2s.ic.gov',
  ])('but not %s', (host) => {
    expect(env(writer({ host })).RDS_HOSTS).toMatch(new RegExp(`^[a-z]+-[a-z-]+-\\d/${host}$`));
  });
});
