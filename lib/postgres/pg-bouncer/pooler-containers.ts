import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { IMAGES } from '../../images';
import { text } from '../../kube/values/env-values';
import { RESTRICTED_CONTAINER } from '../../kube/pod/restricted';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';

import type { PgBouncerMetricsOptions, PgBouncerProps } from './pg-bouncer-props';
import { CONFIG_FOLDER, POOLER_PORT, SECRET_FOLDER, STATS_USER } from './pooler-config';
import { WRITE_COMMAND } from './pooler-files';

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
  cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(64), limit: Size.mebibytes(256) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/** The port of the exporter, its own. */
export const METRICS_PORT = 9127;

// Until every node has taken the pod out of its rules, clients still arrive. Then SIGINT lets transactions end and closes
// what is idle, which MLflow opens anew elsewhere. The SIGTERM that would follow waits for clients that never leave.
const DRAIN = 'sleep 5; kill -INT 1; while kill -0 1; do sleep 0.2; done';

/** The container that writes the login and the address of the database. `env` are libpq's variables for it. */
export function writeContainer(
  props: PgBouncerProps,
  env: Record<string, kplus.EnvValue>,
  volumeMounts: kplus.VolumeMount[],
): kplus.ContainerProps {
  return {
    ...commonProps(props),
    name: 'write-userlist',
    image: props.initImage ?? IMAGES.mlflow,
    command: WRITE_COMMAND,
    envVariables: {
      ...env,
      PGBOUNCER_FOLDER: text(SECRET_FOLDER),
      ...(props.authQuery !== undefined && { PGBOUNCER_ASK_DATABASE: text(true) }),
      ...(props.metrics && { PGBOUNCER_STATS_USER: text(STATS_USER) }),
      PYTHONDONTWRITEBYTECODE: text(1),
    },
    volumeMounts,
    resources: INIT_RESOURCES,
  };
}

/** The container of PgBouncer. */
export function poolerContainer(props: PgBouncerProps, volumeMounts: kplus.VolumeMount[]): kplus.ContainerProps {
  return {
    ...commonProps(props),
    name: 'pgbouncer',
    image: props.image ?? IMAGES.pgBouncer,
    // Not the image's entrypoint, which writes a configuration of its own.
    command: ['pgbouncer', `${CONFIG_FOLDER}/pgbouncer.ini`],
    ports: [{ name: 'tcp-pgbouncer', number: POOLER_PORT }],
    volumeMounts,
    resources: props.resources ?? DEFAULT_RESOURCES,
    readiness: answers(5, 2),
    liveness: answers(10, 6),
    startup: answers(1, 30),
    lifecycle: { preStop: kplus.Handler.fromCommand(['/bin/sh', '-c', DRAIN]) },
  };
}

/** The container that shows PgBouncer's own numbers to Prometheus. */
export function metricsContainer(
  props: PgBouncerProps,
  metrics: PgBouncerMetricsOptions,
  volumeMounts: kplus.VolumeMount[],
): kplus.ContainerProps {
  // Within the pod; the certificate is for the name of the Service.
  const sslmode = props.clientTls === undefined ? 'disable' : 'require';
  return {
    ...commonProps(props),
    name: 'metrics',
    image: metrics.image ?? IMAGES.pgBouncerExporter,
    args: [
      `--web.listen-address=:${String(METRICS_PORT)}`,
      `--pgBouncer.connectionString=postgres://${STATS_USER}@127.0.0.1:${String(POOLER_PORT)}/pgbouncer?sslmode=${sslmode}`,
    ],
    envVariables: { PGPASSFILE: text(`${SECRET_FOLDER}/stats.pgpass`) },
    ports: [{ name: 'metrics', number: METRICS_PORT }],
    volumeMounts,
    resources: metrics.resources ?? METRICS_RESOURCES,
    readiness: kplus.Probe.fromHttpGet('/', { port: METRICS_PORT }),
    liveness: kplus.Probe.fromHttpGet('/', { port: METRICS_PORT }),
  };
}

function commonProps(props: PgBouncerProps): Pick<kplus.ContainerProps, 'imagePullPolicy' | 'securityContext'> {
  return {
    imagePullPolicy: props.imagePullPolicy ?? kplus.ImagePullPolicy.IF_NOT_PRESENT,
    securityContext: RESTRICTED_CONTAINER,
  };
}

// Whether the database is there as well is for MLflow's own checks: a pooler that is not ready could not even say so.
function answers(everySeconds: number, failureThreshold: number): kplus.Probe {
  return kplus.Probe.fromTcpSocket({
    port: POOLER_PORT,
    periodSeconds: Duration.seconds(everySeconds),
    timeoutSeconds: Duration.seconds(3),
    failureThreshold,
  });
}
