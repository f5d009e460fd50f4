import { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { PodPart } from '../../kube/pod/pod-part';
import { scriptCommand } from '../../scripts/scripts';

/** The script that starts a server with metrics. */
export const METRICS_SCRIPT = 'serve_with_metrics.py';

/** Path of the metrics: at the root, regardless of the static prefix. */
export const METRICS_PATH = '/metrics';

const FOLDER = '/var/run/mlflow-metrics';

/** Runs the command that follows, with an empty folder for its counters. */
export const METRICS_COMMAND = scriptCommand(METRICS_SCRIPT, FOLDER);

/** The argument of MLflow with that folder. */
export const METRICS_ARGUMENT = `--expose-prometheus=${FOLDER}`;

/**
 * The folder of the counters.
 *
 * Each worker maps its own files into memory, and each scrape sums the files of all workers, including terminated ones.
 * @see https://prometheus.github.io/client_python/multiprocess/
 */
export function metricsPart(scope: Construct): PodPart {
  // In memory, so that a busy disk does not delay requests. The files of a worker have about 50 KiB.
  const volume = kplus.Volume.fromEmptyDir(scope, 'metrics', 'metrics', {
    medium: kplus.EmptyDirMedium.MEMORY,
    sizeLimit: Size.mebibytes(64),
  });
  return { of: 'metrics', volumeMounts: [{ path: FOLDER, volume }] };
}
