import { Testing } from 'cdk8s';
import { ExternalPostgres, type ExternalPostgresProps } from 'cdk8s-mlflow';

import { chart, container, env, only, server } from '../../support/synth';

const valid: ExternalPostgresProps = { host: 'db.example.com', user: 'mlflow_user', password: 'secret' };

function environment(props: Partial<ExternalPostgresProps> = {}) {
  const scope = chart();
  server(scope, { backend: new ExternalPostgres(scope, 'external', { ...valid, ...props }) });
  return env(container(Testing.synth(scope), 'mlflow'));
}

test('makes a Secret of the login, named by its id', () => {
  const scope = chart();
  new ExternalPostgres(scope, 'postgres', { ...valid, password: ' p@ss"w\\rd\n' });
  expect(Testing.synth(scope)).toEqual([
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'postgres', labels: { 'app.kubernetes.io/managed-by': 'cdk8s' } },
      immutable: false,
      stringData: { username: 'mlflow_user', password: ' p@ss"w\\rd\n' },
    },
  ]);
});

test('has the defaults of the guide, and asks for TLS', () => {
  expect(environment()).toMatchObject({
    PGHOST: 'db.example.com',
    PGPORT: '5432',
    PGDATABASE: 'mlflow',
    PGUSER: { secretKeyRef: { key: 'username', name: 'external' } },
    PGPASSWORD: { secretKeyRef: { key: 'password', name: 'external' } },
    PGSSLMODE: 'require',
  });
});

test('lists failover hosts, and then wants one that takes writes', () => {
  expect(environment()).not.toHaveProperty('PGTARGETSESSIONATTRS');
  expect(environment({ failoverHosts: ['db-2', '10.0.0.3'], port: 6432 })).toMatchObject({
    PGHOST: 'db.example.com,db-2,10.0.0.3',
    PGPORT: '6432',
    PGTARGETSESSIONATTRS: 'read-write',
  });
});

test.each(['2001:db8::1', '10.1.2.3', 'db', 'Db_1.Example.com.'])('takes the host %s', (host) => {
  expect(environment({ host })).toMatchObject({ PGHOST: host });
});

test('keeps a numeric database name a string', () => {
  expect(environment({ database: '2024' }).PGDATABASE).toBe('2024');
});

test('a changed password changes the pods, and only one byte of them tells', () => {
  const marks = new Set<string>();
  for (let i = 0; i < 2000; i += 1) {
    const scope = chart();
    server(scope, {
      backend: new ExternalPostgres(scope, 'external', { ...valid, password: `password-${String(i)}` }),
    });
    marks.add(
      only(Testing.synth(scope), 'Deployment').spec.template.metadata.annotations['cdk8s-mlflow/credentials-revision'],
    );
  }
  expect([...marks].every((mark) => /^[0-9a-f]{2}$/.test(mark))).toBe(true);
  expect(marks.size).toBeGreaterThan(250);
});

const unset = undefined as unknown as string;
const hint = 'If it comes from an environment variable, set that before the synthesis.';

test.each<[string, Partial<ExternalPostgresProps>, string]>([
  ['no host', { host: unset }, `[chart/pg] \`host\` must be given, got undefined. ${hint}`],
  ['empty host', { host: '' }, `[chart/pg] \`host\` must be given, got an empty string. ${hint}`],
  ['no user', { user: unset }, `[chart/pg] \`user\` must be given, got undefined. ${hint}`],
  ['empty user', { user: '' }, `[chart/pg] \`user\` must be given, got an empty string. ${hint}`],
  ['no password', { password: unset }, `[chart/pg] \`password\` must be given, got undefined. ${hint}`],
  ['empty password', { password: '' }, `[chart/pg] \`password\` must be given, got an empty string. ${hint}`],
  [
    'a URL',
    { host: 'postgresql://u@db:5432/mlflow' },
    '[chart/pg] `host` must be a host name or an address, not a URL, got "postgresql://u@db:5432/mlflow". User, password, port and database have props of their own.',
  ],
  [
    'a port in the host',
    { host: 'db:5432' },
    '[chart/pg] `host` must be a host name or an address, without port or brackets, got "db:5432".',
  ],
  [
    'brackets',
    { host: '[::1]' },
    '[chart/pg] `host` must be a host name or an address, without port or brackets, got "[::1]".',
  ],
  [
    'a list as host',
    { host: 'a,b' },
    '[chart/pg] `host` must be one host, got "a,b". Name the further hosts in `failoverHosts`.',
  ],
  [
    'an empty failover host',
    { failoverHosts: ['b', ''] },
    `[chart/pg] \`failoverHosts[1]\` must be given, got an empty string. ${hint}`,
  ],
  ['port 0', { port: 0 }, '[chart/pg] `port` must be a whole number from 1 to 65535, got 0.'],
  ['port 65536', { port: 65536 }, '[chart/pg] `port` must be a whole number from 1 to 65535, got 65536.'],
  ['half a port', { port: 5432.5 }, '[chart/pg] `port` must be a whole number from 1 to 65535, got 5432.5.'],
  ['no number', { port: Number.NaN }, `[chart/pg] \`port\` must be given or left out, got NaN. ${hint}`],
  [
    'empty database',
    { database: '' },
    `[chart/pg] \`database\` must be given or left out, got an empty string. ${hint}`,
  ],
  [
    'maxConnections 0',
    { maxConnections: 0 },
    '[chart/pg] `maxConnections` must be a whole number from 1 to 262143, got 0.',
  ],
])('refuses %s', (_, props, message) => {
  expect(() => new ExternalPostgres(chart(), 'pg', { ...valid, ...props })).toThrow(new Error(message));
});

test('says everything that is wrong at once', () => {
  expect(() => new ExternalPostgres(chart(), 'PG', { host: '', user: '', password: '', port: -1 })).toThrow(
    new Error(
      [
        `[chart/PG] \`host\` must be given, got an empty string. ${hint}`,
        `[chart/PG] \`password\` must be given, got an empty string. ${hint}`,
        `[chart/PG] \`user\` must be given, got an empty string. ${hint}`,
        '[chart/PG] `id` must be lower-case letters, digits and dashes, start with a letter and have at most 44 characters, got "PG". Kubernetes takes it as the name of the Service.',
        '[chart/PG] `port` must be a whole number from 1 to 65535, got -1.',
      ].join('\n'),
    ),
  );
});
