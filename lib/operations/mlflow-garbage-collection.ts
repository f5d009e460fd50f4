import type { Cron, Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { artifactsPart, ArtifactVisibility } from '../artifacts/artifact-store';
import { labelsOf } from '../kube/pod/labels';
import { texts } from '../kube/values/env-values';
import { ScriptFiles } from '../scripts/scripts';
import type { IMlflowServer } from '../server/mlflow-server-reference';
import { checkId, checkSeconds } from '../validation/checks';
import { checkConstruct } from '../validation/arguments';
import { Problems } from '../validation/problems';

import { Operation, type OperationProps } from './operation';
import { checkScheduled, cronJobOf, type ScheduledProps } from './scheduled';

/** Its lock, and MLflow's store, which opens a session within a session. */
const CONNECTIONS = 3;
const SCRIPTS = ScriptFiles.named('collect_garbage.py');

/** Props of {@link MlflowGarbageCollection}. */
export interface MlflowGarbageCollectionProps extends ScheduledProps {
  /** The server to clean up after: its database, its artifacts and its image are used, and its ServiceAccount. */
  readonly server: IMlflowServer;

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
    super(...checkConstruct('MlflowGarbageCollection', scope, id, props));
    const { server } = props;
    const { artifacts } = server;
    const problems = new Problems(this);
    checkGarbageCollection(problems, id, props);
    const pod = problems.finish(() => {
      const operation = new Operation(
        this,
        problems,
        labelsOf('mlflow', id, 'garbage-collection'),
        { ...operationProps(server), resources: props.resources, priorityClassName: props.priorityClassName },
        server.backend.connection,
        SCRIPTS,
      );
      operation.demandConnections(CONNECTIONS);
      return operation.pod({
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
              // What the server needs on its way to the artifacts may be in here: a proxy, a region, a CA.
              { of: 'server.extraEnvVars', isExtra: true, envVariables: server.extraEnvVars },
            ],
          }),
        ],
      });
    });

    // The schedule is the retry.
    this.cronJob = cronJobOf(this, pod, props, { backoffLimit: 0 });
    if (artifacts.visibility === ArtifactVisibility.NODE) {
      // One node at a time holds a ReadWriteOnce volume, and it is the server's.
      this.cronJob.scheduling.colocate(kplus.Pods.select(this, 'server', { labels: server.podSelector }));
    }
  }
}

function checkGarbageCollection(problems: Problems, id: string, props: MlflowGarbageCollectionProps): void {
  checkId(problems, id);
  checkScheduled(problems, props.schedule, props);
  checkSeconds(
    problems,
    'olderThan',
    props.olderThan,
    'For so long, a deletion by mistake can be undone: Duration.days(30) is a good start.',
  );
  if (props.server.artifacts.visibility === ArtifactVisibility.POD) {
    problems.say(
      '`server` keeps its artifacts where only its own pod can see them, so that no other pod can delete them.',
      'Give it a volume with a claim, or an object store, as `artifactRoot`.',
    );
  }
}

/** It runs in the server's image, as the server's ServiceAccount, and as isolated as the server. */
function operationProps(server: IMlflowServer): OperationProps {
  const { image, imagePullPolicy, imagePullSecrets, serviceAccount, isolation } = server;
  return { image, imagePullPolicy, imagePullSecrets, serviceAccount, isolation };
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
