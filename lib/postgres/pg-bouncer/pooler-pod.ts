import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { IMAGES } from '../../images';
import { mountConfigFiles } from '../../kube/pod/config-files';
import type { ObjectLabels } from '../../kube/pod/labels';
import { OVER_NODES_AND_ZONES, spreadOf } from '../../kube/pod/placement';
import { container, type Pod, type PodContainer, podOf } from '../../kube/pod/pod';
import type { PodPart } from '../../kube/pod/pod-part';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';
import { texts } from '../../kube/values/env-values';
import { TlsCertificate } from '../../kube/values/tls-certificate';
import { scriptCommand, ScriptFiles } from '../../scripts/scripts';
import type { Problems } from '../../validation/problems';
import type { PoolBudget } from '../capacity/pool-budget';
import { connectionPart } from '../connection/connection-part';
import type { PostgresCredentials } from '../connection/postgres-credentials';
import type { SystemCaImage } from '../connection/system-ca';

import type { PgBouncerMetricsOptions, PgBouncerProps } from './pg-bouncer-props';
import { CLIENT_TLS_FOLDER, POOLER_PORT, poolerConfig, SECRET_FOLDER, STATS_USER } from './pooler-config';

const CONFIG_FOLDER = '/etc/pgbouncer';
const WRITE_USERLIST = 'write_userlist.py';

/** Port of the metrics exporter: its default. */
export const METRICS_PORT = 9127;

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(100), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(64), limit: Size.mebibytes(256) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

const METRICS_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(10), limit: kplus.Cpu.millis(200) },
  memory: { request: Size.mebibytes(32), limit: Size.mebibytes(64) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

const INIT_RESOURCES: kplus.ContainerResources = {
  ...DEFAULT_RESOURCES,
  cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.units(1) },
};

// Clients still arrive until every node has removed the pod from its Service rules. Then SIGINT lets transactions end and closes
// idle connections, which MLflow opens anew at other pods. The SIGTERM that follows would wait for clients that never leave.
const DRAIN = 'sleep 5; kill -INT 1; while kill -0 1; do sleep 0.2; done';

/** The pod of a PgBouncer whose clients log in with `login`. */
export function poolerPod(
  problems: Problems,
  scope: Construct,
  labels: ObjectLabels,
  props: PgBouncerProps,
  input: { readonly budget: PoolBudget; readonly login: PostgresCredentials },
): Pod {
  const {
    envVariables: env = {},
    volumeMounts,
    ...database
  } = connectionPart(scope, props.backend.connection, initImageOf(props), 'server');
  const serverTls = Object.fromEntries(Object.entries(env).map(([name, { value }]) => [name, String(value)]));
  const config = mountConfigFiles(scope, 'config', labels, {
    name: `${scope.node.id}-config`,
    volumeName: 'config',
    path: CONFIG_FOLDER,
    data: { 'pgbouncer.ini': () => poolerConfig(props, input.budget, serverTls) },
  });
  // In memory: the init container writes the login, PgBouncer and its exporter read it.
  const volume = kplus.Volume.fromEmptyDir(scope, 'secrets', 'secrets', {
    medium: kplus.EmptyDirMedium.MEMORY,
    sizeLimit: Size.mebibytes(1),
  });
  const secrets = { path: SECRET_FOLDER, volume };
  const readable = { ...secrets, readOnly: true };
  const { clientTls, metrics } = props;
  const clientTlsPart: PodPart = {
    of: 'clientTls',
    volumeMounts:
      clientTls &&
      new TlsCertificate(clientTls.certificate, clientTls.privateKey)._mounts(scope, 'client-tls', CLIENT_TLS_FOLDER),
  };
  return podOf(problems, labels, {
    imagePullSecrets: props.imagePullSecrets,
    priorityClassName: props.priorityClassName,
    topologySpreadConstraints: spreadOf(OVER_NODES_AND_ZONES, labels),
    // Without the variables of libpq, which PgBouncer does not read: they go into its own files.
    parts: [database],
    initContainers: [
      writeContainer(props, loginEnv(env, input.login), [ScriptFiles.named(WRITE_USERLIST).mount(scope), secrets]),
    ],
    containers: [
      container('pgbouncer', [{ volumeMounts: [config, readable, ...(volumeMounts ?? [])] }, clientTlsPart], {
        image: props.image ?? IMAGES.pgBouncer,
        imagePullPolicy: props.imagePullPolicy,
        // Not the image's entrypoint, which writes a configuration of its own.
        command: ['pgbouncer', `${CONFIG_FOLDER}/pgbouncer.ini`],
        ports: [{ name: 'tcp-pgbouncer', number: POOLER_PORT }],
        resources: props.resources ?? DEFAULT_RESOURCES,
        readiness: probe(5, 2),
        liveness: probe(10, 6),
        startup: probe(1, 30),
        lifecycle: { preStop: kplus.Handler.fromCommand(['/bin/sh', '-c', DRAIN]) },
      }),
      ...(metrics === undefined ? [] : [metricsContainer(props, metrics, readable)]),
    ],
  });
}

/** Writes login and address of the database into files that only PgBouncer can read. */
function writeContainer(
  props: PgBouncerProps,
  login: Record<string, kplus.EnvValue>,
  volumeMounts: kplus.VolumeMount[],
): PodContainer {
  const envVariables = {
    ...login,
    ...texts({
      PGBOUNCER_FOLDER: SECRET_FOLDER,
      ...(props.authQuery !== undefined && { PGBOUNCER_ASK_DATABASE: true }),
      ...(props.metrics && { PGBOUNCER_STATS_USER: STATS_USER }),
    }),
  };
  return container('write-userlist', [{ envVariables, volumeMounts }], {
    ...initImageOf(props),
    command: scriptCommand(WRITE_USERLIST),
    resources: props.initResources ?? INIT_RESOURCES,
  });
}

function initImageOf({ initImage = IMAGES.mlflow, imagePullPolicy }: PgBouncerProps): SystemCaImage {
  return { image: initImage, imagePullPolicy };
}

/** Exports PgBouncer's statistics to Prometheus. */
function metricsContainer(
  props: PgBouncerProps,
  metrics: PgBouncerMetricsOptions,
  secrets: kplus.VolumeMount,
): PodContainer {
  // Not verified: the connection stays in the pod, and the certificate is for the name of the Service.
  const sslmode = props.clientTls === undefined ? 'disable' : 'require';
  const envVariables = texts({ PGPASSFILE: `${SECRET_FOLDER}/stats.pgpass` });
  return container('metrics', [{ envVariables, volumeMounts: [secrets] }], {
    image: metrics.image ?? IMAGES.pgBouncerExporter,
    imagePullPolicy: props.imagePullPolicy,
    args: [
      `--web.listen-address=:${String(METRICS_PORT)}`,
      `--pgBouncer.connectionString=postgres://${STATS_USER}@127.0.0.1:${String(POOLER_PORT)}/pgbouncer?sslmode=${sslmode}`,
    ],
    ports: [{ name: 'metrics', number: METRICS_PORT }],
    resources: metrics.resources ?? METRICS_RESOURCES,
    readiness: kplus.Probe.fromHttpGet('/', { port: METRICS_PORT }),
    liveness: kplus.Probe.fromHttpGet('/', { port: METRICS_PORT }),
  });
}

function loginEnv(env: Record<string, kplus.EnvValue>, login: PostgresCredentials): Record<string, kplus.EnvValue> {
  const names = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'DATABASE_SCHEMA'];
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name))),
    ...(login.password && { PGPASSWORD: login.password }),
  };
}

// MLflow's own checks ask the database. A pooler that is not ready could not even report that the database is down.
function probe(everySeconds: number, failureThreshold: number): kplus.Probe {
  return kplus.Probe.fromTcpSocket({
    port: POOLER_PORT,
    periodSeconds: Duration.seconds(everySeconds),
    timeoutSeconds: Duration.seconds(3),
    failureThreshold,
  });
}
