import { EnvValue } from 'cdk8s-plus-28';
import {
  JobExecution,
  type MlflowServerProps,
  NetworkPeer,
  S3Artifacts,
  AwsIdentity,
  SecretKey,
  UpgradeStrategy,
} from 'cdk8s-mlflow';

import { edges } from '../support/edges';
import { container, env, serverManifests } from '../support/synth';

const url = SecretKey.fromSecretName('redis', 'url');

function jobs(props: Partial<MlflowServerProps>): Record<string, unknown> {
  const variables = Object.entries(env(container(serverManifests(props), 'mlflow')));
  return Object.fromEntries(variables.filter(([name]) => name.includes('_JOB_')));
}

test('MLflow runs no jobs by default, though it would', () => {
  expect(jobs({})).toEqual({ MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' });
});

test('a queue on the disk of the pod', () => {
  const limits = {
    MLFLOW_SERVER_JUDGE_INVOKE_MAX_WORKERS: '2',
    MLFLOW_SERVER_ONLINE_SCORING_MAX_WORKERS: '2',
    MLFLOW_SERVER_SCHEDULED_ISSUE_DETECTION_MAX_WORKERS: '2',
  };
  const manifests = serverManifests({ jobExecution: JobExecution.local({ jobsPerType: 2 }) });
  expect(env(container(manifests, 'mlflow'))).toMatchObject({ MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'true', ...limits });
  // 290 + 2 x 260 + 1310 + (6 x 2 + 2) x 210, in steps of 512.
  expect(container(manifests, 'mlflow').resources.limits.memory).toBe('5120Mi');
});

test('a queue in a Redis, which an isolated pod reaches', () => {
  const route = { peers: [NetworkPeer.podsOf('cache', { app: 'redis' })], ports: [6380] };
  const jobExecution = JobExecution.redis({ url, route, periodicTasks: false });
  expect(jobs({ jobExecution })).toEqual({
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'true',
    MLFLOW_SERVER_JOB_HUEY_REDIS_URL: { secretKeyRef: { name: 'redis', key: 'url' } },
    MLFLOW_SERVER_JOB_ENABLE_PERIODIC_TASKS: 'false',
  });
  expect(edges(serverManifests({ jobExecution, isolation: {} }), 'mlflow')).toContain(
    'out 6380/TCP to app=redis of metadata.name=cache',
  );
});

const executor = { extraEnvVars: { MLFLOW_SERVER_JOB_EXECUTION_ENGINE: EnvValue.fromValue('executor') } };
const artifactRoot = new S3Artifacts({ bucket: 'models', identity: AwsIdentity.ambient() });

test.each<[string, Partial<MlflowServerProps>, string[]]>([
  [
    'the name of a Secret',
    { jobExecution: JobExecution.redis({ url: SecretKey.fromSecretName('A_B', 'url') }) },
    [
      '`jobExecution.url` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A_B".',
    ],
  ],
  [
    'how many jobs',
    { jobExecution: JobExecution.local({ jobsPerType: 0 }) },
    ['`jobExecution.jobsPerType` must be a whole number from 1 to 100, got 0.'],
  ],
  [
    'an image without such a queue',
    { jobExecution: JobExecution.redis({ url }), image: 'ghcr.io/mlflow/mlflow:v3.15.1-full' },
    [
      '`jobExecution` must not be JobExecution.redis() with MLflow 3.15, which would keep a queue in each pod. Use MLflow 3.16 or later.',
    ],
  ],
  [
    'the engine of one pod in a rolling update',
    { ...executor, artifactRoot },
    [
      '`extraEnvVars.MLFLOW_SERVER_JOB_EXECUTION_ENGINE` must be left out where a rolling update has two pods: this engine is for one pod. Leave it out, or use one replica with UpgradeStrategy.RECREATE.',
    ],
  ],
  [
    'the engine of one pod with two',
    { ...executor, artifactRoot, replicas: 2 },
    [
      '`extraEnvVars.MLFLOW_SERVER_JOB_EXECUTION_ENGINE` must be left out with 2 pods: this engine is for one pod. Leave it out, or use one replica with UpgradeStrategy.RECREATE.',
    ],
  ],
])('%s', (_, props, problems) => {
  expect(() => serverManifests(props)).toThrow(new Error(problems.map((each) => `[chart/mlflow] ${each}`).join('\n')));
});

test('the engine of one pod in one pod', () => {
  expect(jobs({ ...executor, artifactRoot, upgradeStrategy: UpgradeStrategy.RECREATE })).toHaveProperty(
    'MLFLOW_SERVER_JOB_EXECUTION_ENGINE',
    'executor',
  );
});
