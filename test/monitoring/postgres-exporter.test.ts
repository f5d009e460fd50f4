import { type Chart, Testing } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  ExternalPostgres,
  FileSource,
  PgBouncer,
  PostgresCredentials,
  NetworkPeer,
  PostgresExporter,
  type PostgresExporterProps,
  PostgresTls,
} from 'cdk8s-mlflow';

import { anyBackend, chart, containerOf, env, type Manifest, only } from '../support/synth';

function exporter(props: Partial<PostgresExporterProps> = {}, scope: Chart = chart()): Manifest[] {
  new PostgresExporter(scope, 'exporter', { backend: props.backend ?? anyBackend(scope), ...props });
  return Testing.synth(scope);
}

const template = (manifests: Manifest[]): Manifest => only(manifests, 'Deployment', 'exporter').spec.template;
const container = (manifests: Manifest[]): Manifest => containerOf(template(manifests).spec, 'postgres-exporter');

test('is one pod, with a Service, that Prometheus alone can reach', () => {
  const manifests = exporter();
  expect(manifests.map((m) => m.kind)).toEqual(['ServiceAccount', 'Deployment', 'Service', 'NetworkPolicy']);
  expect(only(manifests, 'Deployment').spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  const { ingress, podSelector } = only(manifests, 'NetworkPolicy').spec;
  expect(template(manifests).metadata.labels).toMatchObject(podSelector.matchLabels);
  expect(ingress).toEqual([
    {
      from: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
          podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
        },
      ],
      ports: [{ port: 9187, protocol: 'TCP' }],
    },
  ]);
  const agent = exporter({ scrapers: [NetworkPeer.pods({ app: 'agent' })] });
  expect(only(agent, 'NetworkPolicy').spec.ingress[0].from[0].podSelector.matchLabels).toEqual({ app: 'agent' });
});

test('keeps to the restricted Pod Security Standard, and mounts no token', () => {
  const { spec } = template(exporter());
  expect(spec).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true },
  });
  expect(spec.containers[0].securityContext).toMatchObject({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  });
  expect(spec.containers[0].resources).toEqual({
    requests: { cpu: '20m', memory: '32Mi', 'ephemeral-storage': '1Gi' },
    limits: { cpu: '200m', memory: '128Mi', 'ephemeral-storage': '1Gi' },
  });
});

test('logs in as MLflow does, with no password in the data source', () => {
  const variables = env(container(exporter()));
  expect(variables).toEqual({
    PGHOST: 'db',
    PGPORT: '5432',
    PGDATABASE: 'mlflow',
    PGUSER: { secretKeyRef: { name: 'db-login', key: 'username' } },
    PGPASSWORD: { secretKeyRef: { name: 'db-login', key: 'password' } },
    PGSSLMODE: 'require',
    PGCONNECT_TIMEOUT: '2',
    PGAPPNAME: 'postgres-exporter',
    DATA_SOURCE_NAME: 'host=$(PGHOST) port=$(PGPORT)',
  });
  // Kubernetes expands only variables that come before.
  expect(Object.keys(variables).pop()).toBe('DATA_SOURCE_NAME');
});

test('or as a role of its own', () => {
  const variables = env(container(exporter({ credentials: PostgresCredentials.fromSecretName('monitor') })));
  expect(variables.PGPASSWORD).toEqual({ secretKeyRef: { name: 'monitor', key: 'password' } });
});

test('encrypts as the backend does, and does not prefer to', () => {
  const scope = chart();
  const passwords = BitnamiPasswords.fromLiterals({ postgresPassword: 'secret' });
  const manifests = exporter({ backend: new BitnamiPostgres(scope, 'postgres', { passwords }) }, scope);
  expect(env(container(manifests)).PGSSLMODE).toBe('disable');
  expect(template(manifests).metadata.labels).toMatchObject({ 'postgres-client': 'true' });
  expect(template(manifests).metadata.annotations).toHaveProperty('cdk8s-mlflow/credentials-revision');
  const tls = PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('ca', 'ca.crt') });
  const verified = exporter({ tls });
  expect(env(container(verified))).toMatchObject({
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: '/etc/postgres-tls/ca/ca.crt',
  });
  expect(container(verified).volumeMounts).toHaveLength(1);
});

test('goes past a pooler, to the database itself', () => {
  const scope = chart();
  const manifests = exporter({ backend: new PgBouncer(scope, 'pgbouncer', { backend: anyBackend(scope) }) }, scope);
  expect(env(container(manifests)).PGHOST).toBe('db');
});

test('image, registry and priority are the caller’s', () => {
  const manifests = exporter({
    image: 'mirror/exporter:1',
    imagePullSecrets: ['registry'],
    priorityClassName: 'low',
  });
  expect(container(manifests).image).toBe('mirror/exporter:1');
  expect(template(manifests).spec).toMatchObject({
    imagePullSecrets: [{ name: 'registry' }],
    priorityClassName: 'low',
  });
});

test('says all that is wrong', () => {
  const scope = chart();
  const login = { user: 'mlflow', password: 'secret' };
  const backend = new ExternalPostgres(scope, 'postgres', { host: 'a', failoverHosts: ['b'], ...login });
  const props = { backend, tls: PostgresTls.PREFER, image: 'an image', imagePullSecrets: ['Registry'] };
  expect(() => new PostgresExporter(scope, 'Exporter', props)).toThrow(
    new Error(
      [
        '`id` must be lower-case letters, digits and dashes, start with a letter and have at most 44 characters, got "Exporter". Kubernetes takes it as the name of the Service.',
        '`backend` must be one host, got "a,b". Make an exporter for each host, on an ExternalPostgres of its own.',
        '`tls` must not be PostgresTls.PREFER, which the exporter does not support. Use PostgresTls.REQUIRE or PostgresTls.DISABLE.',
        '`image` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got "an image". Leave out spaces and line breaks.',
        '`imagePullSecrets` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Registry".',
      ]
        .map((text) => `[chart/Exporter] ${text}`)
        .join('\n'),
    ),
  );
});
