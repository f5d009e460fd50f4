import { Cron, Duration, Testing } from 'cdk8s';
import {
  AwsIdentity,
  MlflowServer,
  type MlflowServerProps,
  MlflowTraceArchival,
  Persistence,
  S3Artifacts,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { anyBackend, chart, containerOf, env, type Manifest, only, server } from '../support/synth';

const traceArchival = { retention: Duration.days(30) };

function manifests(ofServer: Partial<MlflowServerProps> = {}): Manifest[] {
  const scope = chart();
  new MlflowTraceArchival(scope, 'archival', {
    server: server(scope, { traceArchival, ...ofServer }),
    schedule: Cron.hourly(),
    deadline: Duration.minutes(50),
  });
  return Testing.synth(scope);
}

test('a CronJob that never runs twice at once', () => {
  expect(only(manifests(), 'CronJob', 'archival').spec).toMatchObject({
    schedule: '0 * * * *',
    concurrencyPolicy: 'Forbid',
    jobTemplate: { spec: { backoffLimit: 0, activeDeadlineSeconds: 3000 } },
  });
});

test('has the file, the artifacts and the account of the server', () => {
  const identity = AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow');
  const all = manifests({ artifactRoot: new S3Artifacts({ bucket: 'models', region: 'eu-central-1', identity }) });
  const pod = only(all, 'CronJob').spec.jobTemplate.spec.template.spec;
  const archiver = containerOf(pod, 'archive-traces');
  expect(pod.serviceAccountName).toBe('mlflow');
  expect(archiver.command).toEqual(['python', '/opt/mlflow/scripts/archive_traces.py']);
  expect(env(archiver)).toMatchObject({ AWS_DEFAULT_REGION: 'eu-central-1', PGHOST: 'db' });
  const file = (name: string): string => {
    const [map] = all.filter((each) => each.kind === 'ConfigMap' && each.metadata.name.startsWith(name));
    return map.data['trace-archival.yaml'];
  };
  expect(file('archival-trace-archival-')).toBe(file('mlflow-trace-archival-'));
  expect(env(archiver).MLFLOW_TRACE_ARCHIVAL_CONFIG).toBe('/etc/mlflow-trace-archival/trace-archival.yaml');
});

test('runs where a ReadWriteOnce volume is', () => {
  const { affinity } = only(manifests(), 'CronJob').spec.jobTemplate.spec.template.spec;
  expect(affinity.podAffinity).toBeDefined();
});

test('needs a server that finds the traces, and artifacts that it reaches', () => {
  const none = new VolumeArtifacts({ persistence: Persistence.none() });
  expect(() => manifests({ traceArchival: undefined, artifactRoot: none })).toThrow(
    new Error(
      [
        '[chart/archival] `server` must not keep its artifacts in its pod, where no other pod can write to them. Give it a volume with a claim, or an object store, as `artifactRoot`.',
        '[chart/archival] `server` must have `traceArchival`, so that it finds the traces that are moved. Give it `traceArchival: { retention: Duration.days(30) }`.',
      ].join('\n'),
    ),
  );
});

test('works on a server of another app, by what it says', () => {
  const scope = chart();
  const attributes = {
    serverName: 'mlflow',
    backend: anyBackend(scope),
    artifactRoot: new VolumeArtifacts({ persistence: Persistence.existingClaim('artifacts') }),
  };
  const elsewhere = MlflowServer.fromAttributes(scope, 'elsewhere', { ...attributes, traceArchival });
  new MlflowTraceArchival(scope, 'archival', { server: elsewhere, schedule: Cron.hourly() });
  expect(only(Testing.synth(scope), 'CronJob', 'archival')).toBeDefined();
  expect(() =>
    MlflowServer.fromAttributes(scope, 'other', {
      ...attributes,
      traceArchival: { retention: Duration.seconds(61) },
    }),
  ).toThrow(new Error('[chart/other] `traceArchival.retention` must be whole minutes, got "61 s".'));
});
