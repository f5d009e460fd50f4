import type { Cron, Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { texts } from '../kube/values/env-values';
import { ScriptFiles } from '../scripts/scripts';
import { checkSeconds } from '../validation/checks';
import { problemsOf } from '../kube/construct';
import type { Problems } from '../validation/problems';
import { checkConstruct } from '../validation/arguments';

import {
  checkServerOperation,
  Operation,
  type OperationInput,
  propsOfServer,
  type ServerOperationProps,
} from './operation';
import { artifactParts, checkReachesArtifacts, joinArtifacts } from './server-artifacts';
import { checkScheduled, cronJobOf, type IScheduledOperation, type ScheduledProps } from './scheduled';

/** One for the lock, two for MLflow's store, which opens a session within a session. */
const CONNECTIONS = 3;
const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'collect_garbage.py');

/** Props of {@link MlflowGarbageCollection}. */
export interface MlflowGarbageCollectionProps extends ScheduledProps, ServerOperationProps {
  /** Schedule of the collection. */
  readonly schedule: Cron;

  /** Age of a deletion before it becomes permanent. Until then, it can be undone. */
  readonly olderThan: Duration;
}

/**
 * Permanently deletes the runs, logged models and experiments that users have deleted in MLflow, with their artifacts:
 * `mlflow gc` as a CronJob. Without it, the database and the artifact store only grow.
 *
 * It does not look at the model registry: a model version from a deleted run loses its files.
 * @see https://mlflow.org/docs/latest/cli.html#mlflow-gc
 */
export class MlflowGarbageCollection extends Construct implements IScheduledOperation {
  /** The CronJob. */
  public readonly cronJob: kplus.CronJob;

  public constructor(scope: Construct, id: string, props: MlflowGarbageCollectionProps) {
    super(...checkConstruct('MlflowGarbageCollection', scope, id, props));
    const { server } = props;
    const { artifacts } = server;
    const problems = problemsOf(this);
    checkGarbageCollection(problems, id, props);
    const input: OperationInput = {
      component: 'garbage-collection',
      props: propsOfServer(props),
      connection: server.backend.connection,
      scripts: SCRIPTS,
      connections: CONNECTIONS,
    };
    const pod = Operation.pod(this, problems, input, (operation) => ({
      isAnnotated: true,
      initContainers: operation.waitForDatabase(),
      containers: [
        operation.container('collect-garbage', {
          script: ['collect_garbage.py', ageOf(props.olderThan)],
          connects: true,
          parts: [{ envVariables: texts({ ARTIFACTS_DESTINATION: artifacts.destination }) }, ...artifactParts(server)],
        }),
      ],
    }));
    // The schedule is the retry.
    this.cronJob = cronJobOf(this, pod, props, { backoffLimit: 0 });
    joinArtifacts(this, this.cronJob, server);
  }
}

function checkGarbageCollection(problems: Problems, id: string, props: MlflowGarbageCollectionProps): void {
  checkServerOperation(problems, id, props);
  checkScheduled(problems, props.schedule, props);
  checkSeconds(
    problems,
    'olderThan',
    props.olderThan,
    'Until then, a deletion can be undone: Duration.days(30) is a good start.',
  );
  checkReachesArtifacts(problems, props.server, 'delete them');
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
