import { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { scriptCommand } from '../scripts/scripts';

/** The script that starts a server which counts. */
export const METRICS_SCRIPT = 'serve_with_metrics.py';

/** Where Prometheus finds the metrics: at the root, whatever the static prefix is. */
export const METRICS_PATH = '/metrics';

const FOLDER = '/var/run/mlflow-metrics';

/**
 * The container of a server, counting for Prometheus.
 *
 * Each worker maps files of its own into memory, and each scrape adds up the files of all: those of workers that died, too.
 * @see https://prometheus.github.io/client_python/multiprocess/
 */
export function withMetrics(scope: Construct, container: kplus.ContainerProps): kplus.ContainerProps {
  // In memory, so that a busy disk cannot hold up requests. A worker has about 50 KiB of files.
  const volume = kplus.Volume.fromEmptyDir(scope, 'metrics', 'metrics', {
    medium: kplus.EmptyDirMedium.MEMORY,
    sizeLimit: Size.mebibytes(64),
  });
  return {
    ...container,
    command: [...scriptCommand(METRICS_SCRIPT, FOLDER), ...(container.command ?? [])],
    args: [...(container.args ?? []), `--expose-prometheus=${FOLDER}`],
    volumeMounts: [...(container.volumeMounts ?? []), { path: FOLDER, volume }],
  };
}
