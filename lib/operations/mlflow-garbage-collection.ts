import type { Cron, Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { ArtifactVisibility } from '../artifacts/artifact-store';
import { checkId, checkSeconds } from '../validation/checks';
import { text } from '../kube/values/env-values';
import { labelsOf } from '../kube/pod/labels';
import { completePodSpec } from '../kube/pod/pod-spec';
import { Problems } from '../validation/problems';
import type { MlflowServer } from '../server/mlflow-server';
import { routesOf } from '../server/server-isolation';
import { scriptCommand, ScriptFiles } from '../scripts/scripts';

import { cronJob } from './cron-job';
import { operationPod } from './operation-pod';
import { checkScheduled, type ScheduledProps } from './scheduled-props';

/** Its lock, and MLflow's store, which opens a session within a session. */
const CONNECTIONS = 3;
const SCRIPTS = ScriptFiles.named('collect_garbage.py');

/** Props of {@link MlflowGarbageCollection}. */
export interface MlflowGarbageCollectionProps extends ScheduledProps {
  /** The server to clean up after: its database, its artifacts and its image are used, and its ServiceAccount. */
  readonly server: MlflowServer;

  /** When it runs. */
  readonly schedule: Cron;

  /** How long ago something must have been deleted: for so long, a deletion by mistake can be undone. */
  readonly olderThan: Duration;

  /**
   * CPU and memory of the pod.
   * @default - requests 250 millicores and 256 MiB, limits 2 CPUs and 1 GiB
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * The priority class of the pod.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;
}

/**
 * Deletes runs, logged models and experiments for good, with their artifacts, some time after somebody deleted them in
 * MLflow: `mlflow gc` as a CronJob. Without it, the database and the artifact store only ever grow.
 *
 * It asks no model registry: a version made from a run that was deleted loses its files with that run.
 * @see https://mlflow.org/docs/latest/cli.html#mlflow-gc
 */
export class MlflowGarbageCollection extends Construct {
  /** What runs it. */
  public readonly cronJob: kplus.CronJob;

  public constructor(scope: Construct, id: string, props: MlflowGarbageCollectionProps) {
    super(scope, id);
    const { props: ofServer, artifacts, labels: serverLabels } = props.server._view;
    this.check(props, artifacts.visibility);

    const labels = labelsOf('mlflow', id, 'garbage-collection');
    const { image, imagePullPolicy, imagePullSecrets, isolation } = ofServer;
    const { serviceAccount } = props.server;
    const { resources, priorityClassName } = props;
    const { pod, container, fields } = operationPod(
      this,
      { image, imagePullPolicy, imagePullSecrets, serviceAccount, resources, priorityClassName, isolation },
      labels,
      ofServer.backend.connection,
      SCRIPTS,
      { routes: routesOf(artifacts), connections: CONNECTIONS },
    );
    this.cronJob = cronJob(this, labels, props, {
      ...pod,
      podMetadata: { ...pod.podMetadata, labels: { ...pod.podMetadata?.labels, ...artifacts.podLabels } },
      schedule: props.schedule,
      // The schedule is the retry.
      backoffLimit: 0,
      containers: [
        {
          ...container,
          name: 'collect-garbage',
          command: scriptCommand('collect_garbage.py', ageOf(props.olderThan)),
          envVariables: {
            ...container.envVariables,
            MLFLOW_DEFAULT_ARTIFACT_ROOT: text(artifacts.defaultArtifactRoot ?? 'mlflow-artifacts:/'),
            ARTIFACTS_DESTINATION: text(artifacts.destination),
            ...artifacts.envVariables,
            // What the server needs on its way to the artifacts may be in here: a proxy, a region, a CA.
            ...ofServer.extraEnvVars,
          },
          volumeMounts: [...(container.volumeMounts ?? []), ...(artifacts.volumeMounts ?? [])],
        },
      ],
    });
    if (artifacts.visibility === ArtifactVisibility.NODE) {
      // One node at a time holds a ReadWriteOnce volume, and it is the server's.
      this.cronJob.scheduling.colocate(kplus.Pods.select(this, 'server', { labels: serverLabels.selector }));
    }
    completePodSpec(this.cronJob, fields);
  }

  private check(props: MlflowGarbageCollectionProps, visibility: ArtifactVisibility): void {
    const problems = new Problems(this);
    checkId(problems, this.node.id);
    checkScheduled(problems, props.schedule, props);
    checkSeconds(
      problems,
      'olderThan',
      props.olderThan,
      'For so long, a deletion by mistake can be undone: Duration.days(30) is a good start.',
    );
    if (visibility === ArtifactVisibility.POD) {
      problems.say(
        '`server` keeps its artifacts where only its own pod can see them, so that no other pod can delete them.',
        'Give it a volume with a claim, or an object store, as `artifactRoot`.',
      );
    }
    problems.throwIfAny();
  }
}

/** The duration as `mlflow gc --older-than` takes it: `30d`, `1d12h`. */
function ageOf(duration: Duration): string {
  let rest = duration.toSeconds();
  const parts = Object.entries({ d: 86400, h: 3600, m: 60, s: 1 }).map(([unit, seconds]) => {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    return count === 0 ? '' : `${String(count)}${unit}`;
  });
  return parts.join('');
}
