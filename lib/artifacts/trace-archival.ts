import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import { mountConfigFiles } from '../kube/pod/config-files';
import type { ObjectLabels } from '../kube/pod/labels';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import { checkSeconds } from '../validation/checks';
import type { Problems } from '../validation/problems';

import type { ArtifactLocation } from './artifact-store';

const FOLDER = '/etc/mlflow-trace-archival';
const FILE = 'trace-archival.yaml';

/** Which traces MLflow moves from the database to the artifact store. */
export interface TraceArchivalOptions {
  /** Age at which a trace is moved, in whole minutes. A workspace or an experiment may have a shorter one of its own. */
  readonly retention: Duration;

  /**
   * Ids of the experiments that may keep their traces in the database for longer than `retention`, by their tag
   * `mlflow.trace.archivalRetention`.
   * @default - none
   */
  readonly longRetentionExperiments?: string[];
}

/** The file that tells a server, and the pod that moves the traces, where they go: to the artifacts of their experiment. */
export function traceArchivalPart(
  scope: Construct,
  labels: ObjectLabels,
  { retention, longRetentionExperiments }: TraceArchivalOptions,
  { destination }: ArtifactLocation,
): PodPart {
  // JSON is YAML.
  const content = {
    trace_archival: {
      enabled: true,
      location: destination.includes(':') ? destination : `file://${destination}`,
      retention: `${String(retention.toMinutes())}m`,
      long_retention_allowlist: longRetentionExperiments,
    },
  };
  return {
    of: 'traceArchival',
    envVariables: texts({ MLFLOW_TRACE_ARCHIVAL_CONFIG: `${FOLDER}/${FILE}` }),
    volumeMounts: [
      mountConfigFiles(scope, 'trace-archival', labels, {
        name: `${scope.node.id}-trace-archival`,
        volumeName: 'trace-archival',
        path: FOLDER,
        data: { [FILE]: `${JSON.stringify(content, undefined, 2)}\n` },
      }),
    ],
  };
}

/** Validates the options. */
export function checkTraceArchival(problems: Problems, options: TraceArchivalOptions | undefined): void {
  if (options === undefined) {
    return;
  }
  const { retention, longRetentionExperiments = [] } = options;
  checkSeconds(problems, 'traceArchival.retention', retention);
  const minutes = retention.toMinutes({ integral: false });
  if (minutes > 0 && !Number.isInteger(minutes)) {
    problems.add('traceArchival.retention', 'must be whole minutes', `${String(retention.toSeconds())} s`);
  }
  longRetentionExperiments.forEach((id, i) => {
    if (!/^[\w-]+$/.test(id)) {
      problems.add(`traceArchival.longRetentionExperiments[${String(i)}]`, 'must be the id of an experiment', id);
    }
  });
}
