import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import type { ArtifactLocation } from '../artifacts/artifact-store';
import { text, texts } from '../kube/values/env-values';
import { SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { MOST_THREADS, safeThreads } from '../postgres/capacity/connection-math';
import { PoolingProfile, renderPooling } from '../postgres/capacity/pooling-profile';
import { SCRIPT_FOLDER } from '../scripts/scripts';

import type { AuthParts } from './auth/auth-parts';
import { CERTIFICATE_FILE, KEY_FILE, portNameOf } from './certificate';
import { renderEncryption } from './encryption';
import { LogLevel } from './log-level';
import type { MlflowServerProps } from './mlflow-server-props';
import { PROXIED_PORT, SERVER_PORT } from './ports';
import { httpProbe, loopbackProbe, probesOf } from './probes';
import { ReadinessCheck } from './readiness-check';

/** Worker processes of a pod where no number is given. */
export const DEFAULT_WORKERS = 2;

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(500), limit: kplus.Cpu.units(2) },
  memory: { request: Size.gibibytes(1), limit: Size.gibibytes(2) },
  ephemeralStorage: SCRATCH_SPACE,
};

// uvicorn kills a worker that does not answer it for 5 s, and all requests with it: a node that is short of CPU is enough.
const HUNG_WORKER = Duration.seconds(30);

// Until every node has taken the pod out of its rules, requests still arrive.
const DRAIN_SECONDS = 5;

/** The container that serves. `base` is what all containers of the pod share, `certificate` the files that it shows itself. */
export function serverContainer(
  base: kplus.ContainerProps,
  props: MlflowServerProps,
  artifacts: ArtifactLocation,
  certificate: kplus.VolumeMount[],
  hosts: { readonly allowed: string[]; readonly origins: string[] },
  auth: AuthParts,
): kplus.ContainerProps {
  const logLevel = props.logLevel ?? LogLevel.INFO;
  const threads = threadsOf(props);
  const isProxied = auth.proxy !== undefined;
  return {
    ...base,
    name: 'mlflow',
    command: ['mlflow'],
    args: argumentsOf(props, artifacts, logLevel, threads, auth),
    ports: isProxied ? [] : [{ name: portNameOf(props.certificate), number: SERVER_PORT }],
    envVariables: {
      ...base.envVariables,
      ...renderPooling(props.pooling ?? PoolingProfile.STANDARD),
      ...texts({
        PGAPPNAME: 'mlflow',
        MLFLOW_SERVER_ALLOWED_HOSTS: hosts.allowed.join(','),
        ...(hosts.origins.length > 0 && { MLFLOW_SERVER_CORS_ALLOWED_ORIGINS: hosts.origins.join(',') }),
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: props.jobExecution ?? false,
        MLFLOW_LOGGING_LEVEL: logLevel.toUpperCase(),
        ...(threads < MOST_THREADS && { SERVER_THREADS: threads, PYTHONPATH: SCRIPT_FOLDER }),
      }),
      ...readReplica(props),
      ...artifacts.envVariables,
      ...renderEncryption(props.encryption),
      ...auth.serverEnvironment,
      ...props.extraEnvVars,
    },
    volumeMounts: [
      ...(base.volumeMounts ?? []),
      ...(artifacts.volumeMounts ?? []),
      ...auth.volumeMounts,
      ...certificate,
    ],
    resources: props.resources ?? DEFAULT_RESOURCES,
    lifecycle: { preStop: kplus.Handler.fromCommand(['sleep', String(DRAIN_SECONDS)]) },
    ...probesOf(
      isProxied ? loopbackProbe(PROXIED_PORT) : httpProbe(SERVER_PORT, props.certificate !== undefined),
      props.staticPrefix ?? '',
      props.readinessCheck ?? ReadinessCheck.SERVER,
    ),
  };
}

/** Environment that every container with MLflow in it needs. */
export function mlflowEnvironment(
  props: MlflowServerProps,
  artifacts: ArtifactLocation,
): Record<string, kplus.EnvValue> {
  return {
    // All else is in libpq's own variables: see PostgresConnection.
    MLFLOW_BACKEND_STORE_URI: text('postgresql+psycopg2://'),
    MLFLOW_DEFAULT_ARTIFACT_ROOT: text(artifacts.defaultArtifactRoot ?? 'mlflow-artifacts:/'),
    ...(props.telemetry !== true && texts({ MLFLOW_DISABLE_TELEMETRY: true, DO_NOT_TRACK: true })),
    // The user of the pod has no entry in /etc/passwd, so that Python cannot find a home by itself.
    HOME: text('/tmp'),
    PYTHONDONTWRITEBYTECODE: text(1),
  };
}

// Port, database and login come from libpq's variables. A replica takes no writes, so that must not be asked of it.
function readReplica({ readFromReplica, backend }: MlflowServerProps): Record<string, kplus.EnvValue> {
  if (readFromReplica !== true || backend.connection.readHost === undefined) {
    return {};
  }
  return {
    READ_REPLICA_HOST: backend.connection.readHost,
    MLFLOW_READ_REPLICA_BACKEND_STORE_URI: text(
      'postgresql+psycopg2:///?host=$(READ_REPLICA_HOST)&target_session_attrs=any',
    ),
  };
}

/** Requests that a worker serves at once. */
export function threadsOf(props: MlflowServerProps): number {
  return props.threads ?? safeThreads(props.pooling ?? PoolingProfile.STANDARD);
}

function argumentsOf(
  props: MlflowServerProps,
  artifacts: ArtifactLocation,
  logLevel: LogLevel,
  threads: number,
  { proxy, serverArguments }: AuthParts,
): string[] {
  const uvicorn = [
    `--log-level=${logLevel}`,
    `--timeout-worker-healthcheck=${String(HUNG_WORKER.toSeconds())}`,
    ...(threads < MOST_THREADS ? ['--loop=bounded_loop:new_loop'] : []),
    // A proxy shows the certificate itself.
    ...(props.certificate === undefined || proxy !== undefined
      ? []
      : [`--ssl-certfile=${CERTIFICATE_FILE}`, `--ssl-keyfile=${KEY_FILE}`]),
  ];
  return [
    'server',
    ...(proxy === undefined
      ? ['--host=0.0.0.0', `--port=${String(SERVER_PORT)}`]
      : ['--host=127.0.0.1', `--port=${String(PROXIED_PORT)}`]),
    `--workers=${String(props.workers ?? DEFAULT_WORKERS)}`,
    '--serve-artifacts',
    `--artifacts-destination=${artifacts.destination}`,
    ...(props.staticPrefix === undefined ? [] : [`--static-prefix=${props.staticPrefix}`]),
    `--uvicorn-opts=${uvicorn.join(' ')}`,
    ...serverArguments,
    ...(props.extraArgs ?? []),
  ];
}
