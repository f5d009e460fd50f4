import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { IMAGES } from '../../images';
import { texts } from '../../kube/values/env-values';
import { container, type PodContainer } from '../../kube/pod/pod';
import type { PodPart } from '../../kube/pod/pod-part';
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

/** The container that writes the login and the address of the database. */
export function writeContainer(props: PgBouncerProps, parts: readonly PodPart[]): PodContainer {
  const settings: PodPart = {
    envVariables: texts({
      PGBOUNCER_FOLDER: SECRET_FOLDER,
      ...(props.authQuery !== undefined && { PGBOUNCER_ASK_DATABASE: true }),
      ...(props.metrics && { PGBOUNCER_STATS_USER: STATS_USER }),
      PYTHONDONTWRITEBYTECODE: 1,
    }),
  };
  return container('write-userlist', [...parts, settings], {
    image: props.initImage ?? IMAGES.mlflow,
    imagePullPolicy: props.imagePullPolicy,
    command: WRITE_COMMAND,
    resources: INIT_RESOURCES,
  });
}

/** The container of PgBouncer. */
export function poolerContainer(props: PgBouncerProps, parts: readonly PodPart[]): PodContainer {
  return container('pgbouncer', parts, {
    image: props.image ?? IMAGES.pgBouncer,
    imagePullPolicy: props.imagePullPolicy,
    // Not the image's entrypoint, which writes a configuration of its own.
    command: ['pgbouncer', `${CONFIG_FOLDER}/pgbouncer.ini`],
    ports: [{ name: 'tcp-pgbouncer', number: POOLER_PORT }],
    resources: props.resources ?? DEFAULT_RESOURCES,
    readiness: answers(5, 2),
    liveness: answers(10, 6),
    startup: answers(1, 30),
    lifecycle: { preStop: kplus.Handler.fromCommand(['/bin/sh', '-c', DRAIN]) },
  });
}

/** The container that shows PgBouncer's own numbers to Prometheus. */
export function metricsContainer(
  props: PgBouncerProps,
  metrics: PgBouncerMetricsOptions,
  parts: readonly PodPart[],
): PodContainer {
  // Within the pod; the certificate is for the name of the Service.
  const sslmode = props.clientTls === undefined ? 'disable' : 'require';
  const passwordFile: PodPart = { envVariables: texts({ PGPASSFILE: `${SECRET_FOLDER}/stats.pgpass` }) };
  return container('metrics', [...parts, passwordFile], {
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

// Whether the database is there as well is for MLflow's own checks: a pooler that is not ready could not even say so.
function answers(everySeconds: number, failureThreshold: number): kplus.Probe {
  return kplus.Probe.fromTcpSocket({
    port: POOLER_PORT,
    periodSeconds: Duration.seconds(everySeconds),
    timeoutSeconds: Duration.seconds(3),
    failureThreshold,
  });
}
