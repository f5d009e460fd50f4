import { Duration, Testing } from 'cdk8s';
import {
  FileSource,
  MySqlImport,
  type MySqlImportProps,
  MySqlRepair,
  MySqlSource,
  type MySqlSourceProps,
  MySqlTls,
  NetworkPeer,
} from 'cdk8s-mlflow';

import { anyBackend, chart, containerOf, env, type Manifest, only } from '../../support/synth';

function manifests(source: Partial<MySqlSourceProps> = {}, props: Partial<MySqlImportProps> = {}): Manifest[] {
  const scope = chart();
  new MySqlImport(scope, 'import', {
    backend: anyBackend(scope),
    source: new MySqlSource({ host: 'old-mysql', secretName: 'mysql-login', ...source }),
    ...props,
  });
  return Testing.synth(scope);
}

const podOf = (all: Manifest[]): Manifest => only(all, 'Job').spec.template.spec;
const importer = (...args: Parameters<typeof manifests>): Manifest =>
  containerOf(podOf(manifests(...args)), 'import-mysql');

test('a Job, named by its content, that fails at once where no second try would help', () => {
  const { metadata, spec } = only(manifests(), 'Job');
  expect(metadata.name).toMatch(/^import-[0-9a-f]{8}$/);
  expect(metadata.labels['app.kubernetes.io/component']).toBe('mysql-import');
  expect([spec.backoffLimit, spec.template.spec.restartPolicy]).toEqual([3, 'Never']);
  expect(spec.podFailurePolicy.rules[0].onExitCodes).toEqual({
    containerName: 'import-mysql',
    operator: 'In',
    values: [4, 5, 6],
  });
  expect(importer().command).toEqual(['python', '/opt/mlflow/scripts/import_mysql.py']);
});

test('settings have defaults, and the login is in a Secret', () => {
  const container = importer();
  expect(env(container)).toMatchObject({
    MYSQL_HOST: 'old-mysql',
    MYSQL_PORT: '3306',
    MYSQL_DATABASE: 'mlflow',
    MYSQL_TLS: 'require',
    IMPORT_FOLDER: '/copy',
    IMPORT_LOCATION_RULES: '[]',
    IMPORT_REPAIRS: '',
    IMPORT_EXISTING_DATA: 'refuse',
    IMPORT_DRY_RUN: 'false',
    IMPORT_DEADLINE_SECONDS: '600',
    PGAPPNAME: 'mysql-import',
  });
  const references = container.env.filter(({ name }: Manifest) => name.startsWith('MYSQL_') && name !== 'MYSQL_HOST');
  expect(references).toContainEqual({
    name: 'MYSQL_USER',
    valueFrom: { secretKeyRef: { name: 'mysql-login', key: 'username' } },
  });
  expect(references).toContainEqual({
    name: 'MYSQL_PASSWORD',
    valueFrom: { secretKeyRef: { name: 'mysql-login', key: 'password' } },
  });
  expect(env(container)).not.toHaveProperty('MYSQL_TLS_CA');
});

test('settings can all be given', () => {
  const container = importer(
    {
      port: 3307,
      database: 'tracking',
      usernameKey: 'user',
      passwordKey: 'pass',
      tls: MySqlTls.verifyFull({ ca: FileSource.fromConfigMap('mysql-ca', 'ca.pem') }),
    },
    {
      artifactLocations: [{ oldPrefix: '/mlruns', newPrefix: 'mlflow-artifacts:/' }],
      repairs: [MySqlRepair.REPLACE_NUL, MySqlRepair.DROP_ORPHANS],
      dryRun: true,
      deadline: Duration.minutes(1),
    },
  );
  expect(env(container)).toMatchObject({
    MYSQL_PORT: '3307',
    MYSQL_DATABASE: 'tracking',
    MYSQL_TLS: 'verify-full',
    MYSQL_TLS_CA: '/etc/mysql-ca/ca.crt',
    IMPORT_LOCATION_RULES: '[["/mlruns","mlflow-artifacts:/"]]',
    IMPORT_REPAIRS: 'drop-orphans,replace-nul',
    IMPORT_DRY_RUN: 'true',
    IMPORT_DEADLINE_SECONDS: '60',
  });
  expect(container.volumeMounts).toContainEqual({ mountPath: '/etc/mysql-ca', name: 'mysql-ca', readOnly: true });
  expect(container.env).toContainEqual({
    name: 'MYSQL_PASSWORD',
    valueFrom: { secretKeyRef: { name: 'mysql-login', key: 'pass' } },
  });
});

test.each([
  [MySqlTls.DISABLE, 'disable'],
  [MySqlTls.REQUIRE, 'require'],
  [MySqlTls.verifyFull(), 'verify-full'],
])('%# every way to encrypt', (tls, mode) => {
  expect(env(importer({ tls })).MYSQL_TLS).toBe(mode);
});

test('an isolated import reaches the old server, too', () => {
  const peers = [NetworkPeer.cidr('192.0.2.7/32')];
  const egress = (source: Partial<MySqlSourceProps>): Manifest[] =>
    only(manifests(source, { isolation: {} }), 'NetworkPolicy').spec.egress;
  expect(egress({ port: 3307 })).toContainEqual({ ports: [{ port: 3307, protocol: 'TCP' }] });
  expect(egress({ route: { peers } })).toContainEqual({
    ports: [{ port: 3306, protocol: 'TCP' }],
    to: [{ ipBlock: { cidr: '192.0.2.7/32' } }],
  });
});

test('all that is wrong is told at once', () => {
  expect(() =>
    manifests(
      {
        host: 'a,b',
        port: 0,
        database: 'x'.repeat(65),
        secretName: 'A',
        tls: MySqlTls.verifyFull({ ca: FileSource.fromSecret('B', 'ca.crt') }),
        route: { ports: [] },
      },
      { deadline: Duration.millis(500) },
    ),
  ).toThrow(
    new Error(
      [
        '[chart/import] `source.host` must be one host, got "a,b". Name the primary.',
        '[chart/import] `source.port` must be a whole number from 1 to 65535, got 0.',
        `[chart/import] \`source.database\` must have 1 to 64 characters, got "${'x'.repeat(65)}".`,
        '[chart/import] `source.secretName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
        '[chart/import] `source.route.ports` must name at least one port, got none.',
        '[chart/import] `source.tls.ca` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "B".',
        '[chart/import] `deadline` must be a whole number of seconds from 1, got 0.5.',
      ].join('\n'),
    ),
  );
});
