import { Cron, Duration, Testing } from 'cdk8s';
import { EnvValue, PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import {
  AwsIdentity,
  type IArtifactStore,
  MlflowGarbageCollection,
  type MlflowGarbageCollectionProps,
  type MlflowServerProps,
  Persistence,
  S3Artifacts,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { chart, containerOf, env, type Manifest, only, server } from '../support/synth';
import { edges } from '../support/edges';

type Props = Partial<MlflowGarbageCollectionProps>;

function manifests(props: Props = {}, ofServer: Partial<MlflowServerProps> = {}): Manifest[] {
  const scope = chart();
  new MlflowGarbageCollection(scope, 'mlflow-gc', {
    server: server(scope, ofServer),
    schedule: Cron.daily(),
    olderThan: Duration.days(30),
    ...props,
  });
  return Testing.synth(scope);
}

function podOf(props: Props = {}, ofServer: Partial<MlflowServerProps> = {}): Manifest {
  return only(manifests(props, ofServer), 'CronJob').spec.jobTemplate.spec.template;
}

const bucket = (identity: AwsIdentity): IArtifactStore =>
  new S3Artifacts({ bucket: 'models', identity, region: 'eu-central-1' });

test('a CronJob that never runs twice at once', () => {
  expect(only(manifests({ timeZone: 'Europe/Berlin' }), 'CronJob', 'mlflow-gc').spec).toMatchObject({
    schedule: '0 0 * * *',
    timeZone: 'Europe/Berlin',
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 3600,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 3,
    jobTemplate: { spec: { backoffLimit: 0, activeDeadlineSeconds: 21600 } },
  });
});

test.each([
  [Duration.days(30), '30d'],
  [Duration.hours(36), '1d12h'],
  [Duration.minutes(61), '1h1m'],
  [Duration.seconds(90061), '1d1h1m1s'],
])('the age of %s is %s', (olderThan, age) => {
  const { command } = containerOf(podOf({ olderThan }).spec, 'collect-garbage');
  expect(command).toEqual(['python', '/opt/mlflow/scripts/collect_garbage.py', age]);
});

test('has what the server has: image, login, artifacts, identity', () => {
  const pod = podOf(
    {},
    {
      image: 'mirror/mlflow:1',
      imagePullSecrets: ['registry'],
      artifactRoot: bucket(AwsIdentity.fromSecretName('s3')),
      extraEnvVars: { HTTPS_PROXY: EnvValue.fromValue('http://proxy:3128') },
    },
  ).spec;
  const collector = containerOf(pod, 'collect-garbage');
  expect(pod).toMatchObject({ serviceAccountName: 'mlflow', imagePullSecrets: [{ name: 'registry' }] });
  expect(collector.image).toBe('mirror/mlflow:1');
  expect(env(collector)).toMatchObject({
    PGHOST: 'db',
    PGPASSWORD: { secretKeyRef: { name: 'db-login', key: 'password' } },
    PGAPPNAME: 'garbage-collection',
    ARTIFACTS_DESTINATION: 's3://models',
    AWS_SECRET_ACCESS_KEY: { secretKeyRef: { name: 's3', key: 'AWS_SECRET_ACCESS_KEY' } },
    AWS_DEFAULT_REGION: 'eu-central-1',
    HTTPS_PROXY: 'http://proxy:3128',
  });
  expect(pod.affinity).toBeUndefined();
});

test('is on the node that holds the volume', () => {
  const { affinity, containers, volumes } = podOf().spec;
  expect(affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution).toEqual([
    {
      topologyKey: 'kubernetes.io/hostname',
      labelSelector: {
        matchLabels: {
          'app.kubernetes.io/name': 'mlflow',
          'app.kubernetes.io/instance': 'mlflow',
          'app.kubernetes.io/component': 'server',
        },
      },
    },
  ]);
  expect(containers[0].volumeMounts).toContainEqual({ name: 'artifacts', mountPath: '/mlflow/artifacts' });
  expect(volumes).toContainEqual({
    name: 'artifacts',
    persistentVolumeClaim: { claimName: 'mlflow-artifacts', readOnly: false },
  });
});

test('is anywhere where every node sees the volume', () => {
  const persistence = Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] });
  expect(podOf({}, { artifactRoot: new VolumeArtifacts({ persistence }) }).spec.affinity).toBeUndefined();
});

const cron = 'ranges (a-b) or steps (*/n), with commas between';

test.each<[Props, string]>([
  [
    { olderThan: Duration.seconds(0) },
    '`olderThan` must be a whole number of seconds from 1, got 0. Until then, a deletion can be undone: Duration.days(30) is a good start.',
  ],
  [{ deadline: Duration.millis(10) }, '`deadline` must be a whole number of seconds from 1, got 0.01.'],
  [{ successfulJobsRetained: -1 }, '`successfulJobsRetained` must be a whole number from 0, got -1.'],
  [{ failedJobsRetained: 0.5 }, '`failedJobsRetained` must be a whole number from 0, got 0.5.'],
  [
    { timeZone: 'Berlin' },
    '`timeZone` must be a name of the IANA database, such as Europe/Berlin or Etc/UTC, got "Berlin".',
  ],
  [
    { schedule: Cron.schedule({ minute: '60' }) },
    `\`schedule.minute\` must be *, numbers from 0 to 59, ${cron}, got "60".`,
  ],
  [
    { schedule: Cron.schedule({ minute: '0', weekDay: '7' }) },
    `\`schedule.weekDay\` must be *, numbers from 0 to 6, names such as mon, ${cron}, got "7".`,
  ],
])('refuses %j', (props, text) => {
  expect(() => manifests(props)).toThrow(new Error(`[chart/mlflow-gc] ${text}`));
});

test('of an isolated server, it reaches the database and the store, and nobody reaches it', () => {
  const artifactRoot = bucket(AwsIdentity.fromSecretName('s3'));
  expect(edges(manifests({}, { artifactRoot, isolation: {} }), 'mlflow-gc')).toEqual([
    'out 53/UDP 53/TCP to k8s-app=kube-dns of metadata.name=kube-system',
    'out 5432/TCP to anybody',
    'out 443/TCP to anybody',
  ]);
  expect(manifests().filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([]);
});
