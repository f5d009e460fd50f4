import { Chart, Cron, Duration, Size, Testing } from 'cdk8s';
import {
  AwsIdentity,
  BackupLocation,
  FileSource,
  MlflowServer,
  Persistence,
  PgBouncer,
  PostgresBackup,
  type PostgresBackupProps,
} from 'cdk8s-mlflow';
import { ServiceAccount } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { anyBackend, chart, containerOf, env, type Manifest, only } from '../../support/synth';

const volume = BackupLocation.volume();
const bucket = { bucket: 'dumps', identity: AwsIdentity.fromSecretName('s3') };

function manifests(props: Partial<PostgresBackupProps> = {}): Manifest[] {
  const scope = chart();
  new PostgresBackup(scope, 'backup', { backend: anyBackend(scope), target: volume, ...props });
  return Testing.synth(scope);
}

const podIn = (all: Manifest[]): Manifest => only(all, 'CronJob').spec.jobTemplate.spec.template.spec;
const mounts = (container: Manifest): string[] => container.volumeMounts.map((m: Manifest) => m.mountPath);

describe('the CronJob', () => {
  test('runs at midnight UTC, one at a time, late rather than never', () => {
    const { spec } = only(manifests(), 'CronJob', 'backup');
    expect(spec).toMatchObject({
      schedule: '0 0 * * *',
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 3600,
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
    });
    expect(spec.jobTemplate.spec).toMatchObject({ activeDeadlineSeconds: 6 * 3600, backoffLimit: 2 });
  });

  test('runs when it is told to', () => {
    const { spec } = only(
      manifests({
        schedule: Cron.hourly(),
        timeZone: 'Europe/Berlin',
        suspend: true,
        successfulJobsRetained: 0,
        failedJobsRetained: 9,
        deadline: Duration.minutes(30),
      }),
      'CronJob',
    );
    expect(spec).toMatchObject({
      schedule: '0 * * * *',
      timeZone: 'Europe/Berlin',
      suspend: true,
      successfulJobsHistoryLimit: 0,
      failedJobsHistoryLimit: 9,
    });
    expect(spec.jobTemplate.spec.activeDeadlineSeconds).toBe(1800);
  });

  test('does not try again what cannot become better', () => {
    const { rules } = only(manifests(), 'CronJob').spec.jobTemplate.spec.podFailurePolicy;
    expect(rules.map((rule: Manifest) => [rule.action, rule.onExitCodes])).toEqual([
      ['FailJob', { containerName: 'wait-for-database', operator: 'In', values: [1] }],
      ['FailJob', { containerName: 'dump', operator: 'In', values: [4] }],
      ['FailJob', { containerName: 'store', operator: 'In', values: [3] }],
    ]);
  });

  test('has the fields of pods that cdk8s-plus-28 lacks, and labels on Jobs and pods', () => {
    const all = manifests({ imagePullSecrets: ['registry'], priorityClassName: 'low' });
    expect(podIn(all)).toMatchObject({
      imagePullSecrets: [{ name: 'registry' }],
      priorityClassName: 'low',
      enableServiceLinks: false,
      automountServiceAccountToken: false,
    });
    const { jobTemplate } = only(all, 'CronJob').spec;
    expect(jobTemplate.metadata.labels['app.kubernetes.io/instance']).toBe('backup');
    expect(jobTemplate.spec.template.metadata.labels).toMatchObject(jobTemplate.metadata.labels);
  });
});

describe('the containers', () => {
  test('check, dump and store, each in the image that can do it', () => {
    const pod = podIn(manifests({ image: 'own/mlflow:1', clientImage: 'own/postgres:17' }));
    const ran = [...pod.initContainers, ...pod.containers].map((c: Manifest) => [c.name, c.image, c.command]);
    expect(ran).toEqual([
      ['wait-for-database', 'own/mlflow:1', ['python', '/opt/mlflow/scripts/wait_for_database.py']],
      ['dump', 'own/postgres:17', ['sh', '/opt/mlflow/scripts/dump_database.sh']],
      ['store', 'own/mlflow:1', ['python', '/opt/mlflow/scripts/store_backup.py']],
    ]);
  });

  test('have the login of the database or that of the bucket, not both', () => {
    const pod = podIn(manifests({ target: BackupLocation.s3(bucket) }));
    const [dump, store] = [env(containerOf(pod, 'dump')), env(containerOf(pod, 'store'))];
    expect(dump.PGPASSWORD).toEqual({ secretKeyRef: { name: 'db-login', key: 'password' } });
    expect(Object.keys(dump).filter((name) => name.startsWith('AWS_'))).toEqual([]);
    expect(store.AWS_SECRET_ACCESS_KEY).toEqual({ secretKeyRef: { name: 's3', key: 'AWS_SECRET_ACCESS_KEY' } });
    expect(Object.keys(store).filter((name) => name.startsWith('PG'))).toEqual([]);
  });

  test('keep seven dumps by default, or what they are told', () => {
    const store = (all: Manifest[]): Manifest => env(containerOf(podIn(all), 'store'));
    expect(store(manifests())).toMatchObject({ KEEP_COUNT: '7', BACKUP_NAME: 'backup' });
    expect(store(manifests())).not.toHaveProperty('KEEP_SECONDS');
    expect(store(manifests({ retention: { count: 1, maxAge: Duration.days(2) } }))).toMatchObject({
      KEEP_COUNT: '1',
      KEEP_SECONDS: '172800',
    });
  });

  test('take the leftovers of a pod for dead when its Job must be over', () => {
    const dump = (all: Manifest[]): Manifest => env(containerOf(podIn(all), 'dump'));
    expect(dump(manifests()).STALE_MINUTES).toBe('370');
    expect(dump(manifests({ deadline: Duration.seconds(90) })).STALE_MINUTES).toBe('12');
  });

  test('go around a pooler, with the labels that let them through', () => {
    const scope = chart();
    const backend = new PgBouncer(scope, 'pooler', { backend: anyBackend(scope) });
    new PostgresBackup(scope, 'backup', { backend, target: volume });
    const pod = only(Testing.synth(scope), 'CronJob').spec.jobTemplate.spec.template.spec;
    expect(env(containerOf(pod, 'dump')).PGHOST).toBe('db');
  });
});

describe('the target', () => {
  test('is a new claim by the name of the backup, which dumps are made on', () => {
    const all = manifests({ target: BackupLocation.volume(Persistence.newClaim({ size: Size.gibibytes(3) })) });
    expect(only(all, 'PersistentVolumeClaim', 'backup-dumps').spec.resources.requests.storage).toBe('3Gi');
    const pod = podIn(all);
    for (const name of ['dump', 'store']) {
      expect(mounts(containerOf(pod, name))).toContain('/backups');
      expect(env(containerOf(pod, name)).WORK_FOLDER).toBe('/backups');
    }
    expect(mounts(containerOf(pod, 'wait-for-database'))).not.toContain('/backups');
  });

  test('is an existing claim', () => {
    const all = manifests({ target: BackupLocation.volume(Persistence.existingClaim('nfs')) });
    expect(all.filter((m) => m.kind === 'PersistentVolumeClaim')).toEqual([]);
    expect(podIn(all).volumes).toContainEqual({
      name: 'dumps',
      persistentVolumeClaim: { claimName: 'nfs', readOnly: false },
    });
  });

  test('is a bucket, with room for one dump on the node or on a claim', () => {
    const s3 = {
      ...bucket,
      prefix: 'a/b',
      endpoint: 'https://minio:9000',
      ca: FileSource.fromConfigMap('ca', 'ca.crt'),
    };
    const pod = podIn(manifests({ target: BackupLocation.s3(s3) }));
    expect(env(containerOf(pod, 'store'))).toMatchObject({
      BACKUP_LOCATION: 's3://dumps/a/b',
      WORK_FOLDER: '/scratch',
      MLFLOW_S3_ENDPOINT_URL: 'https://minio:9000',
      AWS_CA_BUNDLE: '/etc/backup-ca/ca.crt',
    });
    expect(mounts(containerOf(pod, 'store'))).toContain('/etc/backup-ca');
    expect(mounts(containerOf(pod, 'dump'))).not.toContain('/etc/backup-ca');
    expect(pod.volumes).toContainEqual({ name: 'scratch', emptyDir: {} });
    const claimed = manifests({ target: BackupLocation.s3({ ...s3, scratch: Persistence.newClaim() }) });
    expect(only(claimed, 'PersistentVolumeClaim').metadata.name).toBe('backup-scratch');
  });

  test('gives the ServiceAccount the identity of the workload', () => {
    const role = 'arn:aws:iam::123456789012:role/backup';
    const target = BackupLocation.s3({ ...bucket, identity: AwsIdentity.fromRole(role) });
    expect(only(manifests({ target }), 'ServiceAccount').metadata.annotations).toEqual({
      'eks.amazonaws.com/role-arn': role,
    });
    const scope = chart();
    const serviceAccount = ServiceAccount.fromServiceAccountName(scope, 'identity', 'own');
    expect(podIn(manifests({ serviceAccount })).serviceAccountName).toBe('own');
    expect(() => manifests({ target, serviceAccount })).toThrow(
      new Error(
        '[chart/backup] `serviceAccount` must not be set if `target` has an identity for the ServiceAccount. Leave it out, or annotate your own ServiceAccount and give `target` ambient credentials.',
      ),
    );
  });
});

test.each<[Partial<PostgresBackupProps>, string]>([
  [{ target: undefined }, '`target` must be given, got undefined. Use BackupLocation.s3() or .volume().'],
  [
    { target: BackupLocation.volume(Persistence.none()) },
    '`target` must outlive the pod, got Persistence.none(). Use Persistence.newClaim() or Persistence.existingClaim(name).',
  ],
  [
    { target: BackupLocation.volume(Persistence.newClaim({ size: Size.mebibytes(5) })) },
    '`target.persistence.size` must be a whole number of GiB from 1, got 0.0048828125.',
  ],
  [
    { target: BackupLocation.s3({ ...bucket, bucket: 's3://dumps' }) },
    '`target.bucket` must be the name of a bucket, without s3://, got "s3://dumps".',
  ],
  [
    { target: BackupLocation.s3({ ...bucket, prefix: '/a' }) },
    '`target.prefix` must be a folder without a slash at its ends, got "/a".',
  ],
  [
    { target: BackupLocation.s3({ ...bucket, identity: AwsIdentity.fromRole('admin') }) },
    '`target.identity` must be the ARN of a role (arn:aws:iam::123456789012:role/name), got "admin".',
  ],
  [
    { target: BackupLocation.s3({ ...bucket, scratch: Persistence.existingClaim('A') }) },
    '`target.scratch.claimName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
  ],
  [
    { retention: { count: 0 } },
    '`retention.count` must be a whole number from 1, got 0. The newest dump is always kept. To pause, use `suspend`.',
  ],
  [
    { retention: { maxAge: Duration.seconds(0) } },
    '`retention.maxAge` must be a whole number of seconds from 1, got 0.',
  ],
  [{ deadline: Duration.millis(5) }, '`deadline` must be a whole number of seconds from 1, got 0.005.'],
  [{ successfulJobsRetained: -1 }, '`successfulJobsRetained` must be a whole number from 0, got -1.'],
  [{ failedJobsRetained: 0.5 }, '`failedJobsRetained` must be a whole number from 0, got 0.5.'],
  [
    { image: 'a b' },
    '`image` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got "a b". Leave out spaces and line breaks.',
  ],
  [
    { clientImage: '' },
    '`clientImage` must be given or left out, got an empty string. If it comes from an environment variable, set that before the synthesis.',
  ],
  [
    { timeZone: 'Berlin' },
    '`timeZone` must be a name of the IANA database, such as Europe/Berlin or Etc/UTC, got "Berlin".',
  ],
  [
    { schedule: Cron.schedule({ hour: '25' }) },
    '`schedule.hour` must be *, numbers from 0 to 23, ranges (a-b) or steps (*/n), with commas between, got "25".',
  ],
])('refuses %#', (props, problem) => {
  expect(() => manifests(props)).toThrow(new Error(`[chart/backup] ${problem}`));
});

test('says everything that is wrong at once', () => {
  expect(() =>
    manifests({ target: BackupLocation.volume(Persistence.none()), retention: { count: 0 }, timeZone: 'x' }),
  ).toThrow(/`target`[^\n]+\n[^\n]+`timeZone`[^\n]+\n[^\n]+`retention.count`/);
});

test('a name is one construct’s in a namespace, whatever its kind', () => {
  const app = Testing.app();
  const scope = new Chart(app, 'chart');
  const backend = anyBackend(scope);
  new MlflowServer(scope, 'mlflow', { backend });
  new PostgresBackup(new Construct(scope, 'care'), 'mlflow', { backend, target: volume });
  expect(() => {
    app.synth();
  }).toThrow(
    '[chart/care/mlflow] unique-name: names must be unique in all charts without a namespace: chart/mlflow makes "mlflow" (ServiceAccount), too.',
  );
});

test('an isolated backup reaches the database and its bucket', () => {
  const target = BackupLocation.s3({
    bucket: 'dumps',
    endpoint: 'http://minio:9000',
    identity: AwsIdentity.fromSecretName('s3'),
  });
  const { egress, ingress } = only(manifests({ target, isolation: {} }), 'NetworkPolicy').spec;
  expect(ingress ?? []).toEqual([]);
  expect(egress.map(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port))).toEqual([
    [53, 53],
    [5432],
    [9000],
  ]);
});
