import { Testing } from 'cdk8s';
import { EnvValue, ServiceType } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import {
  type ArtifactLocation,
  ArtifactVisibility,
  AwsIdentity,
  AzureBlobArtifacts,
  AzureBlobCredentials,
  AzureIdentity,
  BitnamiArchitecture,
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  DatabaseMigration,
  ExistingSecretPostgres,
  GcsArtifacts,
  GoogleIdentity,
  type IPostgresBackend,
  type MlflowServerProps,
  NetworkPeer,
  PgBouncer,
  PostgresConnection,
  PostgresCredentials,
  PostgresTls,
  S3Artifacts,
} from 'cdk8s-mlflow';

import { closed, edges } from '../support/edges';
import { chart, type Manifest, only, server, serverManifests } from '../support/synth';

type Props = Partial<MlflowServerProps>;

const DNS = 'out 53/UDP 53/TCP to k8s-app=kube-dns of metadata.name=kube-system';
const OWN_NAMESPACE = 'in 5000/TCP from every pod';

function on(backendOf: (scope: Construct) => IPostgresBackend, props: Props = {}): Manifest[] {
  const scope = chart();
  server(scope, { isolation: {}, ...props, backend: backendOf(scope) });
  return Testing.synth(scope);
}

function isolated(props: Props = {}): string[] {
  return edges(serverManifests({ isolation: {}, ...props }), 'mlflow');
}

const bitnami = (scope: Construct): BitnamiPostgres =>
  new BitnamiPostgres(scope, 'postgres', {
    passwords: BitnamiPasswords.fromSecretName('passwords'),
    architecture: BitnamiArchitecture.replication(),
    isolation: {},
  });

const PRIMARY = 'component=primary,instance=postgres,name=postgresql';
const READ = 'component=read,instance=postgres,name=postgresql';

test('without it, there is no policy', () => {
  expect(serverManifests({}).filter((m) => m.kind === 'NetworkPolicy')).toEqual([]);
});

test('selects the pods of the server and closes both ways', () => {
  const manifests = serverManifests({ isolation: {} });
  const { spec } = only(manifests, 'Deployment');
  expect(only(manifests, 'NetworkPolicy').spec.podSelector).toEqual(spec.selector);
  expect(closed(manifests, 'mlflow')).toEqual(['Ingress', 'Egress']);
});

test('a database elsewhere is any address at its port', () => {
  expect(isolated()).toEqual([OWN_NAMESPACE, DNS, 'out 5432/TCP to anybody']);
});

test.each<[string, (scope: Construct) => IPostgresBackend, string[]]>([
  [
    'at an address',
    (scope) => new ExistingSecretPostgres(scope, 'postgres', { host: '10.1.2.3', port: 6000, secretName: 'login' }),
    ['out 6000/TCP to 10.1.2.3/32'],
  ],
  [
    'at several addresses',
    (scope) =>
      new ExistingSecretPostgres(scope, 'postgres', { host: '10.1.2.3', failoverHosts: ['fd00::1'], secretName: 'x' }),
    ['out 5432/TCP to 10.1.2.3/32', 'out 5432/TCP to fd00::1/128'],
  ],
  [
    'at an address and a name',
    (scope) =>
      new ExistingSecretPostgres(scope, 'postgres', { host: '10.1.2.3', failoverHosts: ['b'], secretName: 'x' }),
    ['out 5432/TCP to anybody'],
  ],
  [
    'at addresses that the caller knows',
    (scope) =>
      new ExistingSecretPostgres(scope, 'postgres', {
        host: 'db',
        secretName: 'login',
        route: { peers: [NetworkPeer.cidr('10.1.0.0/16', '10.1.9.0/24')] },
      }),
    ['out 5432/TCP to 10.1.0.0/16 but 10.1.9.0/24'],
  ],
  [
    'in a Secret',
    (scope) => ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', { secretName: 'cluster-app' }),
    ['out 5432/TCP to anybody'],
  ],
  [
    'in a Secret, with a route',
    (scope) =>
      ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', {
        secretName: 'cluster-app',
        route: { peers: [NetworkPeer.pods({ app: 'db' })], ports: [6000] },
      }),
    ['out 6000/TCP to app=db'],
  ],
  ['by BitnamiPostgres', bitnami, [`out 5432/TCP to ${PRIMARY}`]],
  [
    'by CloudNativePostgres',
    (scope) => new CloudNativePostgres(scope, 'cluster'),
    ['out 5432/TCP to cnpg.io/cluster=cluster,cnpg.io/podRole=instance'],
  ],
  [
    'by CloudNativePostgres behind its pooler',
    (scope) => new CloudNativePostgres(scope, 'cluster', { pooler: {} }),
    [
      'out 5432/TCP to cnpg.io/poolerName=cluster-pooler-rw',
      'out 5432/TCP to cnpg.io/cluster=cluster,cnpg.io/podRole=instance',
    ],
  ],
  [
    'behind PgBouncer, around which migrations go',
    (scope) => new PgBouncer(scope, 'pgbouncer', { backend: bitnami(scope) }),
    ['out 6432/TCP to component=pooler,instance=pgbouncer,name=pgbouncer', `out 5432/TCP to ${PRIMARY}`],
  ],
])('reaches a database %s', (_, backend, expected) => {
  expect(edges(on(backend), 'mlflow')).toEqual([OWN_NAMESPACE, DNS, ...expected]);
});

test('without a migration, the way around PgBouncer is closed', () => {
  const backend = (scope: Construct): PgBouncer => new PgBouncer(scope, 'pgbouncer', { backend: bitnami(scope) });
  expect(edges(on(backend, { databaseMigration: DatabaseMigration.off() }), 'mlflow').slice(2)).toEqual([
    'out 6432/TCP to component=pooler,instance=pgbouncer,name=pgbouncer',
  ]);
});

test('a migration Job reaches the database itself and nothing else, and nobody reaches it', () => {
  const backend = (scope: Construct): PgBouncer => new PgBouncer(scope, 'pgbouncer', { backend: bitnami(scope) });
  const artifactRoot = new S3Artifacts({ bucket: 'models', identity: AwsIdentity.fromSecretName('s3') });
  const manifests = on(backend, { artifactRoot, threads: 7, databaseMigration: DatabaseMigration.job() });
  expect(edges(manifests, 'mlflow-migration')).toEqual([DNS, `out 5432/TCP to ${PRIMARY}`]);
  expect(closed(manifests, 'mlflow-migration')).toEqual(['Ingress', 'Egress']);
  const { matchLabels } = only(manifests, 'NetworkPolicy', 'mlflow-migration').spec.podSelector;
  expect(only(manifests, 'Job').spec.template.metadata.labels).toMatchObject(matchLabels);
});

test('read replicas are reached by who reads from them', () => {
  const props = { readFromReplica: true };
  expect(edges(on(bitnami, props), 'mlflow').slice(2)).toEqual([
    `out 5432/TCP to ${PRIMARY}`,
    `out 5432/TCP to ${READ}`,
  ]);
  const external = (scope: Construct): IPostgresBackend =>
    new ExistingSecretPostgres(scope, 'postgres', { host: '10.0.0.1', readHost: '10.0.0.2', secretName: 'login' });
  expect(edges(on(external, props), 'mlflow').slice(2)).toEqual([
    'out 5432/TCP to 10.0.0.1/32',
    'out 5432/TCP to 10.0.0.2/32',
  ]);
});

test('the policies of a database meet those of its clients', () => {
  const manifests = on(bitnami);
  expect(edges(manifests, 'postgres')).toEqual(['in 5432/TCP from postgres-client=true', `in 5432/TCP from ${READ}`]);
  expect(edges(manifests, 'postgres-read')).toEqual([
    'in 5432/TCP from postgres-client=true',
    DNS,
    `out 5432/TCP to ${PRIMARY}`,
  ]);
  expect(['postgres', 'postgres-read'].map((name) => closed(manifests, name))).toEqual([
    ['Ingress', 'Egress'],
    ['Ingress', 'Egress'],
  ]);
  expect(only(manifests, 'Deployment').spec.template.metadata.labels).toMatchObject({ 'postgres-client': 'true' });
});

test('PgBouncer reaches its database alone', () => {
  const backend = (scope: Construct): PgBouncer =>
    new PgBouncer(scope, 'pgbouncer', {
      backend: new ExistingSecretPostgres(scope, 'postgres', { host: 'db', port: 6000, secretName: 'login' }),
      isolation: {},
    });
  expect(edges(on(backend), 'pgbouncer')).toEqual([
    'in 6432/TCP from pgbouncer-client=true',
    DNS,
    'out 6000/TCP to anybody',
  ]);
});

const role = AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow');
const key = AwsIdentity.fromSecretName('s3');
const route = { peers: [NetworkPeer.cidr('10.20.0.0/16')] };

test.each<[string, Props['artifactRoot'], string[]]>([
  ['of Amazon', new S3Artifacts({ bucket: 'models', identity: role }), ['out 443/TCP to anybody']],
  [
    'of Amazon by a private endpoint',
    new S3Artifacts({ bucket: 'models', identity: role, route }),
    ['out 443/TCP to 10.20.0.0/16', 'out 443/TCP to anybody'],
  ],
  [
    'of Amazon with what is around',
    new S3Artifacts({ bucket: 'models', identity: AwsIdentity.ambient() }),
    [
      'out 443/TCP to anybody',
      'out 80/TCP to 169.254.170.23/32',
      'out 80/TCP to 169.254.169.254/32',
      'out 80/TCP to fd00:ec2::23/128',
      'out 80/TCP to fd00:ec2::254/128',
    ],
  ],
  [
    'with a port',
    new S3Artifacts({ bucket: 'models', identity: key, endpoint: 'https://ceph.example.com:8443' }),
    ['out 8443/TCP to anybody'],
  ],
  [
    'without TLS',
    new S3Artifacts({ bucket: 'models', identity: key, endpoint: 'http://minio' }),
    ['out 80/TCP to anybody'],
  ],
  [
    'of Google by a key',
    new GcsArtifacts({ bucket: 'models', identity: GoogleIdentity.fromSecretName('gcs') }),
    ['out 443/TCP to anybody'],
  ],
  [
    'of Google by workload identity',
    new GcsArtifacts({ bucket: 'models', identity: GoogleIdentity.ambient(), route }),
    [
      'out 443/TCP to 10.20.0.0/16',
      'out 80/TCP 988/TCP to 169.254.169.252/32',
      'out 80/TCP 988/TCP to 169.254.169.254/32',
    ],
  ],
  [
    'of Azure',
    new AzureBlobArtifacts({
      account: 'mlstore',
      container: 'models',
      credentials: AzureBlobCredentials.fromIdentity(AzureIdentity.fromClientId('client')),
      route,
    }),
    ['out 443/TCP to 10.20.0.0/16', 'out 443/TCP to anybody'],
  ],
])('reaches a store %s', (_, artifactRoot, expected) => {
  expect(isolated({ artifactRoot }).slice(3)).toEqual(expected);
});

test.each<[string, Partial<ArtifactLocation>, string[]]>([
  ['a URI is any address at 443', { destination: 'hdfs://models' }, ['out 443/TCP to anybody']],
  ['a folder is nowhere', { destination: '/models' }, []],
  [
    'routes are what they say',
    { destination: 'hdfs://models', routes: [{ ports: [8020] }] },
    ['out 8020/TCP to anybody'],
  ],
])("of a store of one's own, %s", (_, location, expected) => {
  const artifactRoot = { bind: () => ({ destination: '', visibility: ArtifactVisibility.CLUSTER, ...location }) };
  expect(isolated({ artifactRoot }).slice(3)).toEqual(expected);
});

test("a backend of one's own may say its route, and one without anybody reaches nobody", () => {
  const backend = (peers: NetworkPeer[]) => (scope: Construct) =>
    Object.assign(new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'login' }), {
      connection: new PostgresConnection({
        host: EnvValue.fromValue('a,b'),
        port: EnvValue.fromValue('5432,5433'),
        database: EnvValue.fromValue('mlflow'),
        credentials: PostgresCredentials.fromSecretName('login'),
        tls: PostgresTls.REQUIRE,
        route: { peers },
      }),
    });
  expect(edges(on(backend([NetworkPeer.inNamespace('db')])), 'mlflow').slice(2)).toEqual([
    'out 5432/TCP 5433/TCP to every pod of metadata.name=db',
  ]);
  expect(edges(on(backend([])), 'mlflow')).toEqual([OWN_NAMESPACE]);
});

test('clients are whom the caller names', () => {
  const clients = [NetworkPeer.pods({ team: 'a' }), NetworkPeer.podsOf('b', { app: 'c' }), NetworkPeer.PROMETHEUS];
  expect(isolated({ isolation: { clients } }).slice(0, 3)).toEqual([
    'in 5000/TCP from team=a',
    'in 5000/TCP from app=c of metadata.name=b',
    'in 5000/TCP from name=prometheus of metadata.name=monitoring',
  ]);
  expect(isolated({ isolation: { clients: [] } })).toEqual([DNS, 'out 5432/TCP to anybody']);
});

test.each<[Props, string]>([
  [{ ingress: { hosts: ['a.b'], className: 'nginx' } }, 'name=ingress-nginx of metadata.name=ingress-nginx'],
  [{ ingress: { hosts: ['a.b'], className: 'traefik' } }, 'name=traefik of metadata.name=traefik'],
  [
    { ingress: { hosts: ['a.b'] }, isolation: { ingressControllers: [NetworkPeer.cidr('130.211.0.0/22')] } },
    '130.211.0.0/22',
  ],
])('an ingress controller comes in: %j', (props, peer) => {
  expect(isolated(props).slice(0, 2)).toEqual([OWN_NAMESPACE, `in 5000/TCP from ${peer}`]);
});

test('without an ingress, no controller comes in', () => {
  expect(isolated({ isolation: { ingressControllers: [NetworkPeer.TRAEFIK] } })[1]).toBe(DNS);
});

test('further clients, ports and ways out', () => {
  const scope = chart();
  const mlflow = server(scope, {
    isolation: {
      dns: { peers: [NetworkPeer.inNamespace('openshift-dns')], ports: [5353] },
      egress: [{ peers: [NetworkPeer.cidr('192.0.2.7/32')], ports: [443, 8443] }, { peers: [NetworkPeer.TRAEFIK] }],
    },
  });
  mlflow.addClients([NetworkPeer.PROMETHEUS], 8000);
  mlflow.addClients([NetworkPeer.inNamespace('jobs')]);
  expect(edges(Testing.synth(scope), 'mlflow')).toEqual([
    OWN_NAMESPACE,
    'in 8000/TCP from name=prometheus of metadata.name=monitoring',
    'in 5000/TCP from every pod of metadata.name=jobs',
    'out 5353/UDP 5353/TCP to every pod of metadata.name=openshift-dns',
    'out 5432/TCP to anybody',
    'out 443/TCP 8443/TCP to 192.0.2.7/32',
    'out every port to name=traefik of metadata.name=traefik',
  ]);
});

const none = 'must name at least one peer, got none. Leave it out for any address.';
const cidr = (got: string): string => `must be addresses in CIDR notation (10.20.0.0/16), got "${got}".`;

test.each<[Props, string]>([
  [{ isolation: { dns: { peers: [] } } }, `\`isolation.dns.peers\` ${none}`],
  [{ isolation: { egress: [{ peers: [] }] } }, `\`isolation.egress[0].peers\` ${none}`],
  [{ isolation: { egress: [{ ports: [] }] } }, '`isolation.egress[0].ports` must name at least one port, got none.'],
  [
    { isolation: { egress: [{}, { ports: [443, 0] }] } },
    '`isolation.egress[1].ports[1]` must be a whole number from 1 to 65535, got 0.',
  ],
  [{ isolation: { clients: [NetworkPeer.cidr('10.0.0.1')] } }, `\`isolation.clients[0]\` ${cidr('10.0.0.1')}`],
  [{ isolation: { clients: [NetworkPeer.cidr('::/129')] } }, `\`isolation.clients[0]\` ${cidr('::/129')}`],
  [
    { isolation: { ingressControllers: [NetworkPeer.cidr('10.0.0.0/8', 'here')] } },
    `\`isolation.ingressControllers[0]\` ${cidr('here')}`,
  ],
  [
    { isolation: {}, service: { serviceType: ServiceType.LOAD_BALANCER } },
    "`isolation.clients` is required with a Service of type LoadBalancer, whose clients come from outside. Name the addresses of the clients, or of the nodes if they replace them: NetworkPeer.cidr('10.0.0.0/8').",
  ],
  [
    { isolation: {}, ingress: { hosts: ['a.b'], className: 'alb' } },
    '`isolation.ingressControllers` is required where `ingress.className` is not nginx or traefik, got "alb". Name the pods of the controller, or the source addresses of a load balancer.',
  ],
  [
    { isolation: {}, httpRoute: { hosts: ['a.b'], gateways: [{ name: 'public' }] } },
    '`isolation.ingressControllers` is required with `httpRoute`, which does not tell the pods of its Gateway. Name the pods of the Gateway, or the source addresses of a load balancer.',
  ],
])('refuses %#', (props, message) => {
  expect(() => serverManifests(props)).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test.each<[string, () => unknown, string]>([
  [
    'a store',
    () =>
      serverManifests({ artifactRoot: new S3Artifacts({ bucket: 'models', identity: role, route: { peers: [] } }) }),
    `[chart/mlflow] \`artifactRoot.route.peers\` ${none}`,
  ],
  [
    'a database',
    () => new ExistingSecretPostgres(chart(), 'postgres', { host: 'db', secretName: 'x', route: { peers: [] } }),
    `[chart/postgres] \`route.peers\` ${none}`,
  ],
  [
    'a database in a Secret',
    () => ExistingSecretPostgres.fromConnectionSecret(chart(), 'postgres', { secretName: 'x', route: { ports: [-1] } }),
    '[chart/postgres] `route.ports[0]` must be a whole number from 1 to 65535, got -1.',
  ],
  [
    'clients that are added',
    () => {
      server(chart()).addClients([NetworkPeer.cidr('x')], 0);
    },
    `[chart/mlflow] \`peers[0]\` ${cidr('x')}\n[chart/mlflow] \`port\` must be a whole number from 1 to 65535, got 0.`,
  ],
])('refuses the route of %s', (_, make, message) => {
  expect(make).toThrow(new Error(message));
});
