import { App, Chart, Duration, Size, Testing } from 'cdk8s';
import {
  type EphemeralCopyOptions,
  ExistingData,
  PgBouncer,
  SqliteImport,
  type SqliteImportProps,
  SqliteRepair,
  SqliteSource,
  WorkingCopy,
} from 'cdk8s-mlflow';

import { anyBackend, chart, containerOf, env, type Manifest, only, server } from '../../support/synth';

const source = SqliteSource.fromClaim('old-mlflow', 'data/mlflow.db');

function manifests(props: Partial<SqliteImportProps> = {}, scope = chart()): Manifest[] {
  new SqliteImport(scope, 'import', { backend: anyBackend(scope), source, ...props });
  return Testing.synth(scope);
}

const podOf = (all: Manifest[]): Manifest => only(all, 'Job').spec.template.spec;
const settings = (props: Partial<SqliteImportProps> = {}): Record<string, Manifest> =>
  env(containerOf(podOf(manifests(props)), 'import-sqlite'));
const volume = (pod: Manifest, name: string): Manifest => pod.volumes.find((each: Manifest) => each.name === name);

test('a Job, named by its content, with its scripts and an account', () => {
  const all = manifests();
  expect(all.map(({ kind }: Manifest) => kind)).toEqual(['ConfigMap', 'ConfigMap', 'ServiceAccount', 'Job']);
  const { metadata, spec } = only(all, 'Job');
  expect(metadata.name).toMatch(/^import-[0-9a-f]{8}$/);
  expect(metadata.labels['app.kubernetes.io/component']).toBe('sqlite-import');
  expect([spec.backoffLimit, spec.template.spec.restartPolicy]).toEqual([3, 'Never']);
  expect(only(manifests({ dryRun: true }), 'Job').metadata.name).not.toBe(metadata.name);
});

test('what no second try would change fails at once', () => {
  expect(only(manifests(), 'Job').spec.podFailurePolicy.rules).toEqual([
    {
      action: 'FailJob',
      onExitCodes: { containerName: 'import-sqlite', operator: 'In', values: [4, 5, 6] },
      onPodConditions: [],
    },
  ]);
});

test('an image that cannot be is told', () => {
  expect(() => manifests({ image: 'a b', imagePullSecrets: ['A'] })).toThrow(
    new Error(
      [
        '[chart/import] `image` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got "a b". Leave out spaces and line breaks.',
        '[chart/import] `imagePullSecrets` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
      ].join('\n'),
    ),
  );
});

test('the database may come later than the Job', () => {
  expect(containerOf(podOf(manifests()), 'wait-for-database').command).toEqual([
    'python',
    '/opt/mlflow/scripts/wait_for_database.py',
  ]);
});

test('the source is mounted read-only, the copy is not', () => {
  const pod = podOf(manifests());
  const mounts: Manifest[] = containerOf(pod, 'import-sqlite').volumeMounts;
  expect(mounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath)).toEqual([
    '/tmp',
    '/copy',
  ]);
  expect(mounts).toContainEqual({ mountPath: '/source', name: 'source', readOnly: true });
  expect(volume(pod, 'source').persistentVolumeClaim.claimName).toBe('old-mlflow');
  expect(volume(pod, 'copy')).toEqual({ name: 'copy', emptyDir: {} });
});

test('settings have defaults', () => {
  expect(settings()).toMatchObject({
    IMPORT_SOURCE: '/source/data/mlflow.db',
    IMPORT_FOLDER: '/copy',
    IMPORT_LOCATION_RULES: '[]',
    IMPORT_REPAIRS: '',
    IMPORT_EXISTING_DATA: 'refuse',
    IMPORT_DRY_RUN: 'false',
    IMPORT_DEADLINE_SECONDS: '600',
    PGAPPNAME: 'sqlite-import',
  });
});

test('settings can all be given', () => {
  expect(
    settings({
      source: SqliteSource.fromConfigMap('old-mlflow', 'mlflow.db'),
      artifactLocations: [
        { oldPrefix: '/mlruns', newPrefix: 'mlflow-artifacts:/' },
        { oldPrefix: 's3://old', newPrefix: 's3://new/team' },
      ],
      repairs: [SqliteRepair.REPLACE_NUL, SqliteRepair.DROP_ORPHANS, SqliteRepair.REPLACE_NUL],
      existingData: ExistingData.REPLACE,
      dryRun: true,
      deadline: Duration.minutes(1),
    }),
  ).toMatchObject({
    IMPORT_SOURCE: '/source/mlflow.db',
    IMPORT_LOCATION_RULES: '[["/mlruns","mlflow-artifacts:/"],["s3://old","s3://new/team"]]',
    IMPORT_REPAIRS: 'drop-orphans,replace-nul',
    IMPORT_EXISTING_DATA: 'replace',
    IMPORT_DRY_RUN: 'true',
    IMPORT_DEADLINE_SECONDS: '60',
  });
});

test('a small database can come from a ConfigMap', () => {
  const pod = podOf(manifests({ source: SqliteSource.fromConfigMap('old-mlflow', 'mlflow.db') }));
  expect(volume(pod, 'source').configMap.name).toBe('old-mlflow');
});

test('a large copy gets a volume that goes with the pod', () => {
  const copy = (options: EphemeralCopyOptions): Manifest =>
    volume(podOf(manifests({ workingCopy: WorkingCopy.ephemeralVolume(options) })), 'copy');
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '30720Mi' } } };
  const size = Size.gibibytes(30);
  expect(copy({ size })).toEqual({ name: 'copy', ephemeral: { volumeClaimTemplate: { spec } } });
  expect(copy({ size, storageClassName: 'fast' }).ephemeral.volumeClaimTemplate.spec.storageClassName).toBe('fast');
});

test('a small one can be bounded', () => {
  const pod = podOf(manifests({ workingCopy: WorkingCopy.emptyDir({ sizeLimit: Size.gibibytes(2) }) }));
  expect(volume(pod, 'copy').emptyDir).toEqual({ sizeLimit: '2048Mi' });
});

const location = '`artifactLocations[0]';
const target = 'must be a URI with a path or a bucket, or an absolute path';
const prefix = 'must be a prefix of locations, longer than a scheme';
const look = 'List them in the old database: SELECT DISTINCT artifact_location FROM experiments.';
const known =
  'It knows abfss, b2, dbfs, file, ftp, gs, hdfs, http, https, mlflow-artifacts, r2, s3, sftp, viewfs, wasbs.';
const rule = (from: string, to: string): Partial<SqliteImportProps> => ({
  artifactLocations: [{ oldPrefix: from, newPrefix: to }],
});
const onClaim = (name: string, path: string): Partial<SqliteImportProps> => ({
  source: SqliteSource.fromClaim(name, path),
});
const given =
  'must be given, got an empty string. If it comes from an environment variable, set that before the synthesis.';
const pathRule = 'must be the path of a file on the volume, without a leading slash';
const pathWayOut = 'Write `mlflow.db` or `folder/mlflow.db`.';
const objectName = 'must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots)';

test.each<[Partial<SqliteImportProps>, string]>([
  [onClaim('Old', 'a.db'), `\`source.claimName\` ${objectName}, got "Old".`],
  [onClaim('old', '/a.db'), `\`source.path\` ${pathRule}, got "/a.db". ${pathWayOut}`],
  [onClaim('old', '../a.db'), `\`source.path\` ${pathRule}, got "../a.db". ${pathWayOut}`],
  [
    { source: SqliteSource.fromConfigMap('a_b', 'a/b') },
    `\`source.configMapName\` ${objectName}, got "a_b".\n[chart/import] \`source.key\` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "a/b".`,
  ],
  [rule('', 's3://b/'), `${location}.oldPrefix\` ${given}`],
  [rule('s3://', 's3://b/'), `${location}.oldPrefix\` ${prefix}, got "s3://". ${look}`],
  [rule('file:///', 's3://b/'), `${location}.oldPrefix\` ${prefix}, got "file:///". ${look}`],
  [rule('/m', 'mlruns'), `${location}.newPrefix\` ${target}, got "mlruns".`],
  [rule('/m', 's3://'), `${location}.newPrefix\` ${target}, got "s3://".`],
  [rule('/m', ''), `${location}.newPrefix\` ${given}`],
  [
    rule('/m', 's4://bucket'),
    `${location}.newPrefix\` must have a scheme that MLflow knows, got "s4://bucket". ${known}`,
  ],
  [
    {
      artifactLocations: [
        { oldPrefix: '/m', newPrefix: '/a' },
        { oldPrefix: '/m/', newPrefix: '/b' },
      ],
    },
    '`artifactLocations[1].oldPrefix` must differ from those of the rules before it, got "/m/". The first rule that matches applies.',
  ],
  [
    { workingCopy: WorkingCopy.ephemeralVolume({ size: Size.kibibytes(100) }) },
    '`workingCopy.size` must be a whole number of MiB from 1, got 0.09765625.',
  ],
  [
    { workingCopy: WorkingCopy.emptyDir({ sizeLimit: Size.mebibytes(0) }) },
    '`workingCopy.sizeLimit` must be a whole number of MiB from 1, got 0.',
  ],
  [{ deadline: Duration.millis(500) }, '`deadline` must be a whole number of seconds from 1, got 0.5.'],
])('%# what cannot be is an error', (props, text) => {
  expect(() => manifests(props)).toThrow(new Error(`[chart/import] ${text}`));
});

test.each(['mlflow-artifacts:/', 'mlflow-artifacts:/old', 's3://bucket', '/mnt/mlruns', 'file:///mnt', 'dbfs:/x'])(
  '%s is a place for artifacts',
  (to) => {
    expect(() => manifests(rule('/mlruns', to))).not.toThrow();
  },
);

test('an import goes around a pooler, straight to the database', () => {
  const scope = chart();
  const backend = new PgBouncer(scope, 'pgbouncer', { backend: anyBackend(scope) });
  new SqliteImport(scope, 'import', { backend, source });
  expect(env(containerOf(podOf(Testing.synth(scope)), 'import-sqlite')).PGHOST).toBe('db');
});

test('a server without pods may be there', () => {
  const app = new App({ outdir: Testing.app().outdir });
  const scope = new Chart(app, 'chart');
  const backend = anyBackend(scope);
  server(scope, { backend, replicas: 0 });
  new SqliteImport(scope, 'import', { backend, source });
  expect(() => {
    app.synth();
  }).not.toThrow();
});
