import { Testing } from 'cdk8s';
import {
  AwsIdentity,
  BackupLocation,
  DatabaseMigration,
  MigrationRollback,
  MlflowAuth,
  MlflowServer,
  type MlflowServerProps,
  Persistence,
  S3Artifacts,
  SecretKey,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { edges } from '../../support/edges';
import { anyBackend, chart, containerOf, env, type Manifest, only, server } from '../../support/synth';

const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);
const backup = { bucket: 'dumps', region: 'eu-central-1' };

function synth(backupTo: BackupLocation, props: Partial<MlflowServerProps> = {}): Manifest[] {
  const scope = chart();
  const databaseMigration = DatabaseMigration.job({ backupTo });
  new MigrationRollback(scope, 'rollback', { server: server(scope, { databaseMigration, ...props }) });
  return Testing.synth(scope);
}

const jobPod = (all: Manifest[]): Manifest => only(all, 'Job').spec.template.spec;
const rollbackPod = (all: Manifest[]): Manifest => only(all, 'CronJob').spec.jobTemplate.spec.template.spec;
const commands = ({ initContainers, containers }: Manifest): string[] =>
  [...initContainers, ...containers].map(({ name, command }: Manifest) =>
    [name, ...command.slice(1)].join(' ').replaceAll('/opt/mlflow/scripts/', ''),
  );

describe('the migration Job', () => {
  test('dumps before existing tables change, and stores the dump', () => {
    const pod = jobPod(synth(BackupLocation.volume()));
    expect(commands(pod)).toEqual([
      'wait-for-database wait_for_database.py',
      'plan-migration migrate_database.py --plan',
      'dump dump_database.sh',
      'store store_backup.py',
      'init-mlflow migrate_database.py',
    ]);
    for (const name of ['plan-migration', 'dump', 'store']) {
      expect(env(containerOf(pod, name)).MIGRATION_PLAN).toBe('/tmp/migration-plan');
    }
    expect(env(containerOf(pod, 'init-mlflow'))).not.toHaveProperty('MIGRATION_PLAN');
    expect(containerOf(pod, 'dump').image).toBe('docker.io/library/postgres:18-bookworm');
    expect(containerOf(pod, 'dump').resources.limits['ephemeral-storage']).toBe('20Gi');
    expect(containerOf(pod, 'init-mlflow').resources.limits['ephemeral-storage']).toBe('1Gi');
    expect(env(containerOf(pod, 'store'))).toMatchObject({
      BACKUP_NAME: 'mlflow-migration',
      BACKUP_LOCATION: '/backups',
      KEEP_COUNT: '7',
    });
  });

  test('knows the users where it plans, and neither them nor the database where it stores', () => {
    const pod = jobPod(
      synth(BackupLocation.s3({ ...backup, identity: AwsIdentity.fromSecretName('s3') }), {
        auth: MlflowAuth.basic({ adminPassword: key('admin'), flaskSecretKey: key('flask') }),
        encryption: { passphrase: key('passphrase') },
      }),
    );
    const [plan, dump, store] = ['plan-migration', 'dump', 'store'].map((name) => env(containerOf(pod, name)));
    expect(plan).toHaveProperty('MLFLOW_AUTH_CONFIG_PATH');
    expect(Object.keys(dump ?? {}).filter((name) => /^(AWS|MLFLOW_AUTH|MLFLOW_CRYPTO)_/.test(name))).toEqual([]);
    expect(Object.keys(store ?? {}).filter((name) => /^(PG|MLFLOW_AUTH|MLFLOW_CRYPTO)/.test(name))).toEqual([]);
    expect(store?.AWS_ACCESS_KEY_ID).toEqual({ secretKeyRef: { name: 's3', key: 'AWS_ACCESS_KEY_ID' } });
  });

  test('does not try again with a pg_dump that is too old', () => {
    const { rules } = only(synth(BackupLocation.volume()), 'Job').spec.podFailurePolicy;
    expect(rules.map((rule: Manifest) => rule.onExitCodes)).toEqual([
      { containerName: 'dump', operator: 'In', values: [4] },
      { containerName: 'store', operator: 'In', values: [3] },
    ]);
  });

  test('reaches the bucket, which no pod of the server does', () => {
    const location = BackupLocation.s3({
      ...backup,
      endpoint: 'http://minio:9000',
      identity: AwsIdentity.fromSecretName('s3'),
    });
    const all = synth(location, { isolation: {} });
    expect(edges(all, 'mlflow-migration')).toContain('out 9000/TCP to anybody');
    expect(edges(all, 'rollback')).toContain('out 9000/TCP to anybody');
    expect(edges(all, 'mlflow')).not.toContain('out 9000/TCP to anybody');
  });

  test('has its role on the ServiceAccount of the server', () => {
    const identity = AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow');
    const account = only(synth(BackupLocation.s3({ ...backup, identity })), 'ServiceAccount');
    expect(account.metadata.annotations).toEqual({
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/mlflow',
    });
    const store = AwsIdentity.fromRole('arn:aws:iam::123456789012:role/store');
    expect(() =>
      synth(BackupLocation.s3({ ...backup, identity }), {
        artifactRoot: new S3Artifacts({ ...backup, identity: store }),
      }),
    ).toThrow(
      new Error(
        '[chart/mlflow] `artifactRoot` must have the identity of `databaseMigration.backupTo`, arn:aws:iam::123456789012:role/mlflow (eks.amazonaws.com/role-arn), got "arn:aws:iam::123456789012:role/store". A pod has one ServiceAccount: give one account the rights of both.',
      ),
    );
  });

  test('refuses a location that does not outlive it', () => {
    expect(() => synth(BackupLocation.volume(Persistence.none()))).toThrow(
      new Error(
        '[chart/mlflow] `databaseMigration.backupTo` must outlive the pod, got Persistence.none(). Use Persistence.newClaim() or Persistence.existingClaim(name).',
      ),
    );
  });
});

describe('the rollback', () => {
  test('is a suspended CronJob with a date that never comes', () => {
    const { spec } = only(synth(BackupLocation.volume()), 'CronJob', 'rollback');
    expect(spec).toMatchObject({ suspend: true, schedule: '0 0 31 2 *' });
    expect(spec.jobTemplate.spec).toMatchObject({ activeDeadlineSeconds: 6 * 3600, backoffLimit: 2 });
  });

  test('replaces the database by the newest dump of that Job', () => {
    const all = synth(BackupLocation.volume());
    const pod = rollbackPod(all);
    expect(commands(pod)).toEqual([
      'wait-for-database wait_for_database.py',
      'fetch fetch_backup.py',
      'restore restore_database.sh',
    ]);
    expect(env(containerOf(pod, 'fetch'))).toMatchObject({ DUMP: 'newest', BACKUP_NAME: 'mlflow-migration' });
    expect(env(containerOf(pod, 'restore')).REPLACE).toBe('on');
    const claim = { claimName: 'mlflow-dumps' };
    expect(only(all, 'PersistentVolumeClaim', 'mlflow-dumps')).toBeDefined();
    expect(jobPod(all).volumes).toContainEqual({
      name: 'dumps',
      persistentVolumeClaim: expect.objectContaining(claim),
    });
    expect(pod.volumes).toContainEqual({ name: 'dumps', persistentVolumeClaim: expect.objectContaining(claim) });
  });

  test('needs a server that dumps', () => {
    const message = (path: string): Error =>
      new Error(
        `[${path}] \`server\` must dump its database before a migration. Give it \`databaseMigration: DatabaseMigration.job({ backupTo })\`.`,
      );
    const scope = chart();
    expect(() => new MigrationRollback(scope, 'rollback', { server: server(scope) })).toThrow(
      message('chart/rollback'),
    );
    const elsewhere = MlflowServer.fromAttributes(scope, 'elsewhere', {
      serverName: 'mlflow',
      backend: anyBackend(chart()),
      artifactRoot: new VolumeArtifacts({ persistence: Persistence.existingClaim('artifacts') }),
    });
    expect(() => new MigrationRollback(scope, 'back', { server: elsewhere })).toThrow(message('chart/back'));
  });
});
