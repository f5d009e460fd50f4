import { Size, Testing } from 'cdk8s';
import { Cpu, PersistentVolumeAccessMode, Secret } from 'cdk8s-plus-28';
import {
  BitnamiArchitecture,
  BitnamiPasswords,
  BitnamiPostgres,
  type BitnamiPostgresProps,
  Persistence,
} from 'cdk8s-mlflow';

import { chart, containerOf, env, type Manifest, only } from '../../support/synth';

const passwords = BitnamiPasswords.fromLiterals({ postgresPassword: 'secret' });
const replication: Partial<BitnamiPostgresProps> = {
  architecture: BitnamiArchitecture.replication({ readReplicas: 2 }),
  passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'secret', replicationPassword: 'copy' }),
};

function synth(props: Partial<BitnamiPostgresProps> = {}): Manifest[] {
  const scope = chart();
  new BitnamiPostgres(scope, 'postgres', { passwords, ...props });
  return Testing.synth(scope);
}

function database(manifests: Manifest[], name = 'postgres'): Manifest {
  return containerOf(only(manifests, 'StatefulSet', name).spec.template.spec, 'postgresql');
}

test('standalone: what the chart has, under the names of the guide', () => {
  expect(synth().map((m) => `${m.kind}/${m.metadata.name}`)).toEqual([
    'Secret/postgres',
    'ServiceAccount/postgres',
    'Service/postgres',
    'Service/postgres-hl',
    'StatefulSet/postgres',
    'PodDisruptionBudget/postgres',
    'NetworkPolicy/postgres',
  ]);
});

test('replication: a primary, and read replicas with Services of their own', () => {
  const manifests = synth(replication);
  expect(manifests.map((m) => `${m.kind}/${m.metadata.name}`).slice(7)).toEqual([
    'Service/postgres-read',
    'Service/postgres-read-hl',
    'StatefulSet/postgres-read',
    'PodDisruptionBudget/postgres-read',
    'NetworkPolicy/postgres-read',
  ]);
  expect(only(manifests, 'StatefulSet', 'postgres-read').spec.replicas).toBe(2);
  expect(env(database(manifests))).toMatchObject({
    POSTGRES_REPLICATION_MODE: 'master',
    POSTGRES_REPLICATION_USER: 'repl_user',
  });
  expect(env(database(manifests, 'postgres-read'))).toMatchObject({
    POSTGRES_REPLICATION_MODE: 'slave',
    POSTGRES_REPLICATION_USER: 'repl_user',
    POSTGRES_MASTER_HOST: 'postgres',
    POSTGRES_MASTER_PORT_NUMBER: '5432',
    POSTGRES_REPLICATION_PASSWORD_FILE: '/opt/bitnami/postgresql/secrets/POSTGRES_REPLICATION_PASSWORD',
  });
});

test('the replicas reach the primary, and only clients and they do', () => {
  const manifests = synth(replication);
  const peers = (name: string) => only(manifests, 'NetworkPolicy', name).spec.ingress[0].from;
  const client = { podSelector: { matchLabels: { 'postgres-client': 'true' } } };
  const replica = {
    podSelector: { matchLabels: only(manifests, 'StatefulSet', 'postgres-read').spec.selector.matchLabels },
  };
  expect(peers('postgres')).toEqual([client, replica]);
  expect(peers('postgres-read')).toEqual([client]);
});

test('every selector finds the pods of its own servers, and not those of the others', () => {
  const manifests = synth(replication);
  const pods = (name: string) =>
    only(manifests, 'StatefulSet', name).spec.template.metadata.labels as Record<string, string>;
  const selects = (selector: Record<string, string>, labels: Record<string, string>) =>
    Object.entries(selector).every(([key, value]) => labels[key] === value);
  for (const [own, other] of [
    ['postgres', 'postgres-read'],
    ['postgres-read', 'postgres'],
  ] as const) {
    const selectors = [
      only(manifests, 'Service', own).spec.selector,
      only(manifests, 'Service', `${own}-hl`).spec.selector,
      only(manifests, 'StatefulSet', own).spec.selector.matchLabels,
      only(manifests, 'PodDisruptionBudget', own).spec.selector.matchLabels,
      only(manifests, 'NetworkPolicy', own).spec.podSelector.matchLabels,
    ];
    expect(selectors.map((s) => [selects(s, pods(own)), selects(s, pods(other))])).toEqual(
      selectors.map(() => [true, false]),
    );
  }
});

test('the superuser is the login where no user is named', () => {
  const manifests = synth();
  expect(only(manifests, 'Secret').stringData).toEqual({ 'postgres-password': 'secret' });
  expect(env(database(manifests))).toMatchObject({
    POSTGRES_USER: 'postgres',
    POSTGRES_DATABASE: 'mlflow',
    POSTGRES_PASSWORD_FILE: '/opt/bitnami/postgresql/secrets/POSTGRES_PASSWORD',
  });
});

test('a user of its own, and the superuser beside it', () => {
  const manifests = synth({
    username: 'mlflowuser',
    database: 'tracking',
    passwords: BitnamiPasswords.fromLiterals({ password: 'Pa33w0rd!', postgresPassword: 'root' }),
  });
  expect(only(manifests, 'Secret').stringData).toEqual({ password: 'Pa33w0rd!', 'postgres-password': 'root' });
  expect(env(database(manifests))).toMatchObject({
    POSTGRES_USER: 'mlflowuser',
    POSTGRES_DATABASE: 'tracking',
    POSTGRES_PASSWORD_FILE: '/opt/bitnami/postgresql/secrets/POSTGRES_PASSWORD',
    POSTGRES_POSTGRES_PASSWORD_FILE: '/opt/bitnami/postgresql/secrets/POSTGRES_POSTGRES_PASSWORD',
  });
});

test('an existing Secret, by name or as an object, with its own keys', () => {
  const scope = chart();
  const secret = Secret.fromSecretName(scope, 'imported', 'passwords');
  new BitnamiPostgres(scope, 'postgres', {
    username: 'me',
    passwords: BitnamiPasswords.fromSecret(secret, { passwordKey: 'user' }),
  });
  const manifests = Testing.synth(scope);
  expect(manifests.filter((m) => m.kind === 'Secret')).toEqual([]);
  expect(only(manifests, 'StatefulSet').spec.template.spec.volumes).toContainEqual({
    name: 'passwords',
    secret: { secretName: 'passwords', items: [{ key: 'user', path: 'POSTGRES_PASSWORD', mode: 0o440 }] },
  });
});

test('passwords are files, never variables', () => {
  expect(JSON.stringify(only(synth(replication), 'StatefulSet', 'postgres'))).not.toMatch(
    /"secret"[,}]|copy|secretKeyRef/,
  );
});

test.each<[string, Partial<BitnamiPostgresProps>, unknown, unknown]>([
  [
    'a claim of 10 GiB',
    {},
    [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
      },
    ],
    undefined,
  ],
  [
    'a claim as asked for',
    {
      persistence: Persistence.newClaim({
        size: Size.gibibytes(50),
        storageClassName: 'fast',
        accessModes: [PersistentVolumeAccessMode.READ_WRITE_ONCE_POD],
      }),
    },
    [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: {
          accessModes: ['ReadWriteOncePod'],
          storageClassName: 'fast',
          resources: { requests: { storage: '50Gi' } },
        },
      },
    ],
    undefined,
  ],
  [
    'an existing claim',
    { persistence: Persistence.existingClaim('old-data') },
    undefined,
    { name: 'data', persistentVolumeClaim: { claimName: 'old-data', readOnly: false } },
  ],
  ['none', { persistence: Persistence.none() }, undefined, { name: 'data', emptyDir: {} }],
])('persistence: %s', (_, props, templates, volume) => {
  const manifests = synth(props);
  const { spec } = only(manifests, 'StatefulSet');
  expect(spec.volumeClaimTemplates).toEqual(templates);
  expect(spec.template.spec.volumes.find((v: Manifest) => v.name === 'data')).toEqual(volume);
  expect(database(manifests).volumeMounts).toContainEqual({ name: 'data', mountPath: '/bitnami/postgresql' });
});

test('settings reach postgres as they are, without a shell between', () => {
  const { args } = database(
    synth({ maxConnections: 200, settings: { shared_buffers: '256MB', log_line_prefix: '%m [%p] ' } }),
  );
  expect(args).toEqual([
    '/opt/bitnami/scripts/postgresql/run.sh',
    ...['-c', 'max_connections=200'],
    ...['-c', 'shared_buffers=256MB'],
    ...['-c', 'log_line_prefix=%m [%p] '],
  ]);
});

test('init scripts run on the primary alone', () => {
  const manifests = synth({ ...replication, initScripts: { '10-extensions.sql': 'CREATE EXTENSION pg_trgm;' } });
  expect(only(manifests, 'ConfigMap')).toMatchObject({
    metadata: { name: 'postgres-init-scripts' },
    data: { '10-extensions.sql': 'CREATE EXTENSION pg_trgm;' },
  });
  const path = { name: 'init-scripts', mountPath: '/docker-entrypoint-initdb.d', readOnly: true };
  expect(database(manifests).volumeMounts).toContainEqual(path);
  expect(database(manifests, 'postgres-read').volumeMounts).not.toContainEqual(path);
});

test('readiness asks at the address that the first initialisation does not listen on', () => {
  const { readinessProbe, livenessProbe } = database(synth());
  expect(readinessProbe.exec.command[2]).toBe('exec pg_isready -q -h "$POD_IP" -p 5432 -U postgres');
  expect(livenessProbe.exec.command[2]).toBe('exec pg_isready -q -h 127.0.0.1 -p 5432 -U postgres');
});

test('image, pull secrets and resources are the caller’s', () => {
  const manifests = synth({
    image: `registry.example.com/postgresql@sha256:${'0123'.repeat(16)}`,
    imagePullSecrets: ['registry'],
    resources: { cpu: { request: Cpu.units(1) } },
  });
  expect(database(manifests)).toMatchObject({
    image: `registry.example.com/postgresql@sha256:${'0123'.repeat(16)}`,
    resources: { requests: { cpu: '1' } },
  });
  expect(only(manifests, 'StatefulSet').spec.template.spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
});

test('another Service port is the port of the connection', () => {
  const scope = chart();
  const { connection } = new BitnamiPostgres(scope, 'postgres', { passwords, servicePort: 6432 });
  expect([connection.host.value, connection.port.value]).toEqual(['postgres', '6432']);
  expect(only(Testing.synth(scope), 'Service', 'postgres').spec.ports).toEqual([
    { name: 'tcp-postgresql', port: 6432, targetPort: 5432 },
  ]);
});

const hint = 'If it comes from an environment variable, set that before the synthesis.';

test.each<[Partial<BitnamiPostgresProps>, string]>([
  [
    { isolation: { egress: [{ peers: [] }] } },
    '`isolation.egress[0].peers` must name at least one peer, got none. Leave it out for any address.',
  ],
  [
    { passwords: BitnamiPasswords.fromLiterals({}) },
    `\`passwords.postgresPassword\` must be given, got undefined. ${hint}`,
  ],
  [
    { username: 'me', passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'x' }) },
    `\`passwords.password\` must be given, got undefined. ${hint}`,
  ],
  [
    { architecture: BitnamiArchitecture.replication() },
    `\`passwords.replicationPassword\` must be given, got undefined. ${hint}`,
  ],
  [
    { passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'x'.repeat(101) }) },
    '`passwords.postgresPassword` must have at most 100 characters, got 101. The image refuses to start with more.',
  ],
  [
    { passwords: BitnamiPasswords.fromSecretName('A_B') },
    '`passwords.secretName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A_B".',
  ],
  [
    { username: '', passwords: BitnamiPasswords.fromSecretName('x') },
    `\`username\` must be given or left out, got an empty string. ${hint}`,
  ],
  [{ database: 'x'.repeat(64) }, `\`database\` must have 1 to 63 bytes, got "${'x'.repeat(64)}".`],
  [{ servicePort: 0 }, '`servicePort` must be a whole number from 1 to 65535, got 0.'],
  [{ maxConnections: 0 }, '`maxConnections` must be a whole number from 1 to 262143, got 0.'],
  [{ settings: { max_connections: '5' } }, '`settings` must not name max_connections. Use `maxConnections`.'],
  [
    { settings: { wrok_mem: '8MB' } },
    '`settings` must have names of settings of PostgreSQL 14 to 18, got "wrok_mem". Did you mean work_mem?',
  ],
  [{ settings: { 'a b': '5' } }, '`settings` must have names of settings of postgresql.conf, got "a b".'],
  [
    { initScripts: { 'x.sh': '' } },
    '`initScripts` must have file names that end in .sql, got "x.sh". The image runs nothing else as SQL.',
  ],
  [
    { persistence: Persistence.newClaim({ size: Size.mebibytes(0) }) },
    '`persistence.size` must be a whole number of GiB from 1, got 0.',
  ],
  [
    { persistence: Persistence.newClaim({ size: Size.mebibytes(512) }) },
    '`persistence.size` must be a whole number of GiB from 1, got 0.5.',
  ],
  [
    { persistence: Persistence.newClaim({ accessModes: [] }) },
    '`persistence.accessModes` must name at least one access mode, got none.',
  ],
  [
    { persistence: Persistence.existingClaim('Data') },
    '`persistence.claimName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Data".',
  ],
  [
    { ...replication, persistence: Persistence.existingClaim('data') },
    '`persistence` must not be an existing claim with read replicas: each server needs a volume of its own. Use Persistence.newClaim().',
  ],
  [
    { ...replication, architecture: BitnamiArchitecture.replication({ readReplicas: 0 }) },
    '`architecture.readReplicas` must be a whole number from 1, got 0. For one server, use BitnamiArchitecture.standalone().',
  ],
])('%#: refuses %j', (props, message) => {
  expect(() => synth(props)).toThrow(new Error(`[chart/postgres] ${message}`));
});
