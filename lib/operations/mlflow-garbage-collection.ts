import type { Cron, Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { artifactsPart, ArtifactVisibility } from '../artifacts/artifact-store';
import { checkPodOptions } from '../kube/pod/pod-options';
import { texts } from '../kube/values/env-values';
import { ScriptFiles } from '../scripts/scripts';
import type { IMlflowServer } from '../server/mlflow-server-reference';
import { checkId, checkSeconds } from '../validation/checks';
import { problemsOf } from '../kube/construct';
import type { Problems } from '../validation/problems';
import { checkConstruct } from '../validation/arguments';

import { Operation, type OperationInput } from './operation';
import { checkScheduled, cronJobOf, type ScheduledProps } from './scheduled';

/** One for the lock, two for MLflow's store, which opens a session within a session. */
const CONNECTIONS = 3;
const SCRIPTS = ScriptFiles.named('collect_garbage.py');

/** Props of {@link MlflowGarbageCollection}. */
export interface MlflowGarbageCollectionProps extends ScheduledProps {
  /** The server to clean up after. The pod uses its database, artifacts, image, ServiceAccount and isolation. */
  readonly server: IMlflowServer;

  /** Schedule of the collection. */
  readonly schedule: Cron;

  /** Age of a deletion before it becomes permanent. Until then, it can be undone. */
  readonly olderThan: Duration;

  /**
   * CPU and memory of the pod.
   * @default - requests 250 millicores and 256 MiB, limits 1 CPU and 512 MiB
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * Priority class of the pod.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;
}

/**
 * Permanently deletes the runs, logged models and experiments that users have deleted in MLflow, with their artifacts:
 * `mlflow gc` as a CronJob. Without it, the database and the artifact store only grow.
 *
 * It does not look at the model registry: a model version from a deleted run loses its files.
 * @see https://mlflow.org/docs/latest/cli.html#mlflow-gc
 */
export class MlflowGarbageCollection extends Construct {
  /** The CronJob. */
  public readonly cronJob: kplus.CronJob;

  public constructor(scope: Construct, id: string, props: MlflowGarbageCollectionProps) {
    super(...checkConstruct('MlflowGarbageCollection', scope, id, props));
    const { server, resources, priorityClassName } = props;
    const { artifacts, image, imagePullPolicy, imagePullSecrets, serviceAccount, isolation } = server;
    const problems = problemsOf(this);
    checkGarbageCollection(problems, id, props);
    const input: OperationInput = {
      component: 'garbage-collection',
      props: { image, imagePullPolicy, imagePullSecrets, serviceAccount, isolation, resources, priorityClassName },
      connection: server.backend.connection,
      scripts: SCRIPTS,
      connections: CONNECTIONS,
    };
    const pod = Operation.pod(this, problems, input, (operation) => ({
      isAnnotated: true,
      containers: [
        operation.container('collect-garbage', {
          script: ['collect_garbage.py', ageOf(props.olderThan)],
          connects: true,
          parts: [
            {
              envVariables: texts({
                MLFLOW_DEFAULT_ARTIFACT_ROOT: artifacts.defaultArtifactRoot ?? 'mlflow-artifacts:/',
                ARTIFACTS_DESTINATION: artifacts.destination,
              }),
            },
            artifactsPart(artifacts),
            // These may hold settings that access to the artifacts needs: a proxy, a region, a CA.
            { of: 'server.extraEnvVars', isExtra: true, envVariables: server.extraEnvVars },
          ],
        }),
      ],
    }));
    // The schedule is the retry.
    this.cronJob = cronJobOf(this, pod, props, { backoffLimit: 0 });
    if (artifacts.visibility === ArtifactVisibility.NODE) {
      // A ReadWriteOnce volume is mounted on one node at a time: the server's.
      this.cronJob.scheduling.colocate(kplus.Pods.select(this, 'server', { labels: server.podSelector }));
    }
  }
}

function checkGarbageCollection(problems: Problems, id: string, props: MlflowGarbageCollectionProps): void {
  checkId(problems, id);
  checkPodOptions(problems, { resources: props.resources, priorityClassName: props.priorityClassName });
  checkScheduled(problems, props.schedule, props);
  checkSeconds(
    problems,
    'olderThan',
    props.olderThan,
    'Until then, a deletion can be undone: Duration.days(30) is a good start.',
  );
  if (props.server.artifacts.visibility === ArtifactVisibility.POD) {
    problems.say(
      '`server` must not keep its artifacts in its pod, where no other pod can delete them.',
      'Give it a volume with a claim, or an object store, as `artifactRoot`.',
    );
  }
}

/** The duration in the format of `mlflow gc --older-than`: `30d`, `1d12h`. */
function ageOf(duration: Duration): string {
  let rest = duration.toSeconds();
  const parts = Object.entries({ d: 86400, h: 3600, m: 60, s: 1 }).map(([unit, seconds]) => {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    return count === 0 ? '' : `${String(count)}${unit}`;
  });
  return parts.join('');
}
