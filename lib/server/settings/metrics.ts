import { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { PodPart } from '../../kube/pod/pod-part';
import { scriptCommand } from '../../scripts/scripts';

/** The script that starts a server which counts its requests. */
export const METRICS_SCRIPT = 'serve_with_metrics.py';

/** Path of the metrics: at the root, whatever the static prefix is. */
export const METRICS_PATH = '/metrics';

const FOLDER = '/var/run/mlflow-metrics';

/** Starts the command that follows with an empty folder for its counters. */
export const METRICS_COMMAND = scriptCommand(METRICS_SCRIPT, FOLDER);

/** Tells MLflow where its counters are. */
export const METRICS_ARGUMENT = `--expose-prometheus=${FOLDER}`;

/**
 * The folder of the counters.
 *
 * Each worker maps files of its own into memory, and each scrape adds up the files of all: those of workers that died, too.
 * @see https://prometheus.github.io/client_python/multiprocess/
 */
export function metricsPart(scope: Construct): PodPart {
  // In memory, so that a busy disk cannot hold up requests. A worker has about 50 KiB of files.
  const volume = kplus.Volume.fromEmptyDir(scope, 'metrics', 'metrics', {
    medium: kplus.EmptyDirMedium.MEMORY,
    sizeLimit: Size.mebibytes(64),
  });
  return { of: 'metrics', volumeMounts: [{ path: FOLDER, volume }] };
}
