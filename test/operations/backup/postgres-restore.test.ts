import { Duration, Testing } from 'cdk8s';
import {
  AwsIdentity,
  BackupLocation,
  Persistence,
  PostgresBackup,
  PostgresRestore,
  type PostgresRestoreProps,
} from 'cdk8s-mlflow';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';

import { anyBackend, chart, containerOf, env, type Manifest, only } from '../../support/synth';

const claim = BackupLocation.volume(Persistence.existingClaim('backup-dumps'));
const bucket = BackupLocation.s3({ bucket: 'dumps', identity: AwsIdentity.fromSecretName('s3') });

function manifests(props: Partial<PostgresRestoreProps> = {}): Manifest[] {
  const scope = chart();
  new PostgresRestore(scope, 'restore', { backend: anyBackend(scope), source: claim, ...props });
  return Testing.synth(scope);
}

const jobIn = (all: Manifest[]): Manifest => only(all, 'Job');
const podIn = (all: Manifest[]): Manifest => jobIn(all).spec.template.spec;

test('checks the database, fetches a whole dump, and restores it', () => {
  const pod = podIn(manifests({ image: 'own/mlflow:1', clientImage: 'own/postgres:17' }));
  const ran = [...pod.initContainers, ...pod.containers].map((c: Manifest) => [c.name, c.image, c.command]);
  expect(ran).toEqual([
    ['wait-for-database', 'own/mlflow:1', ['python', '/opt/mlflow/scripts/wait_for_database.py']],
    ['fetch', 'own/mlflow:1', ['python', '/opt/mlflow/scripts/fetch_backup.py']],
    ['restore', 'own/postgres:17', ['sh', '/opt/mlflow/scripts/restore_database.sh']],
  ]);
});

test('is a Job for each dump, which does not try again what cannot become better', () => {
  const job = jobIn(manifests());
  expect(job.metadata.name).toMatch(/^restore-[0-9a-f]{8}$/);
  expect(jobIn(manifests()).metadata.name).toBe(job.metadata.name);
  expect(jobIn(manifests({ dump: 'backup-20260102T030405Z-x7k2p' })).metadata.name).not.toBe(job.metadata.name);
  expect(job.spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 6 * 3600 });
  expect(jobIn(manifests({ deadline: Duration.hours(1) })).spec.activeDeadlineSeconds).toBe(3600);
  expect(job.spec.podFailurePolicy.rules.map((rule: Manifest) => rule.onExitCodes)).toEqual([
    { containerName: 'wait-for-database', operator: 'In', values: [1] },
    { containerName: 'fetch', operator: 'In', values: [4] },
    { containerName: 'restore', operator: 'In', values: [3, 4] },
  ]);
});

test('reads a volume without writing to it', () => {
  const pod = podIn(manifests());
  for (const name of ['fetch', 'restore']) {
    const container = containerOf(pod, name);
    expect(container.volumeMounts).toContainEqual({ mountPath: '/backups', name: 'dumps', readOnly: true });
    expect(env(container).WORK_FOLDER).toBe('/scratch');
  }
  expect(pod.volumes).toContainEqual({ name: 'scratch', emptyDir: {} });
});

test('has the login of the database or that of the bucket, not both', () => {
  const pod = podIn(manifests({ source: bucket, dump: 'backup-20260102T030405Z-x7k2p.dump' }));
  const [fetch, restore] = [env(containerOf(pod, 'fetch')), env(containerOf(pod, 'restore'))];
  expect(fetch).toMatchObject({ BACKUP_LOCATION: 's3://dumps', DUMP: 'backup-20260102T030405Z-x7k2p.dump' });
  expect(fetch).toHaveProperty('AWS_ACCESS_KEY_ID');
  expect(fetch).not.toHaveProperty('PGPASSWORD');
  expect(restore).toHaveProperty('PGPASSWORD');
  expect(restore).not.toHaveProperty('AWS_ACCESS_KEY_ID');
});

describe('`dumps` of a backup', () => {
  test('is the claim that the backup makes', () => {
    const scope = chart();
    const backend = anyBackend(scope);
    const accessModes = [PersistentVolumeAccessMode.READ_WRITE_MANY];
    const target = BackupLocation.volume(Persistence.newClaim({ accessModes }));
    const { dumps } = new PostgresBackup(scope, 'backup', { backend, target });
    new PostgresRestore(scope, 'restore', { backend, source: dumps });
    const all = Testing.synth(scope);
    expect(only(all, 'PersistentVolumeClaim').metadata.name).toBe('backup-dumps');
    expect(podIn(all).volumes).toContainEqual({
      name: 'dumps',
      persistentVolumeClaim: { claimName: 'backup-dumps', readOnly: false },
    });
  });

  test.each([claim, bucket])('is what exists already', (target) => {
    const scope = chart();
    const { dumps } = new PostgresBackup(scope, 'backup', { backend: anyBackend(scope), target });
    expect(dumps).toBe(target);
  });
});

test.each<[Partial<PostgresRestoreProps>, string]>([
  [{ source: undefined }, '`source` must be given, got undefined. Use BackupLocation.s3() or .volume().'],
  [
    { source: BackupLocation.volume() },
    '`source` must be an existing claim, got a new one, which holds no dump. Use `dumps` of the PostgresBackup, or Persistence.existingClaim(name).',
  ],
  [{ dump: 'oldest' }, '`dump` must be \'newest\' or the name of a dump (<id>-<time>-<pod>), got "oldest".'],
  [{ dump: '../a' }, '`dump` must be \'newest\' or the name of a dump (<id>-<time>-<pod>), got "../a".'],
  [
    { clientImage: 'a b' },
    '`clientImage` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got "a b". Leave out spaces and line breaks.',
  ],
  [{ deadline: Duration.seconds(0) }, '`deadline` must be a whole number of seconds from 1, got 0.'],
])('refuses %#', (props, problem) => {
  expect(() => manifests(props)).toThrow(new Error(`[chart/restore] ${problem}`));
});
