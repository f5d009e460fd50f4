import type { Cron } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { traceArchivalPart } from '../artifacts/trace-archival';
import { problemsOf } from '../kube/construct';
import { labelsOf } from '../kube/pod/labels';
import { ScriptFiles } from '../scripts/scripts';
import { checkConstruct } from '../validation/arguments';

import {
  checkServerOperation,
  Operation,
  type OperationInput,
  propsOfServer,
  type ServerOperationProps,
} from './operation';
import { checkScheduled, cronJobOf, type IScheduledOperation, type ScheduledProps } from './scheduled';
import { artifactParts, checkReachesArtifacts, joinArtifacts } from './server-artifacts';

/** One for the workspaces, two for MLflow's store, which opens a session within a session. */
const CONNECTIONS = 3;
const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'archive_traces.py');
const COMPONENT = 'trace-archival';

/** Props of {@link MlflowTraceArchival}. The server says with `traceArchival` which traces are moved. */
export interface MlflowTraceArchivalProps extends ScheduledProps, ServerOperationProps {
  /** Schedule of the archival. */
  readonly schedule: Cron;
}

/**
 * Moves the spans of old traces from the database to the artifact store, where the server still shows them: a CronJob. Traces are
 * the largest part of a database that many agents log to. PostgreSQL's autovacuum makes the space usable again.
 *
 * Experiments of `traceArchival.longRetentionExperiments` and traces in progress stay. Searches for text in spans no longer
 * find moved traces.
 */
export class MlflowTraceArchival extends Construct implements IScheduledOperation {
  /** The CronJob. */
  public readonly cronJob: kplus.CronJob;

  public constructor(scope: Construct, id: string, props: MlflowTraceArchivalProps) {
    super(...checkConstruct('MlflowTraceArchival', scope, id, props));
    const { server } = props;
    const { artifacts, traceArchival } = server;
    const problems = problemsOf(this);
    checkServerOperation(problems, id, props);
    checkScheduled(problems, props.schedule, props);
    checkReachesArtifacts(problems, server, 'write to them');
    if (traceArchival === undefined) {
      problems.say(
        '`server` must have `traceArchival`, so that it finds the traces that are moved.',
        'Give it `traceArchival: { retention: Duration.days(30) }`.',
      );
    }
    const input: OperationInput = {
      component: COMPONENT,
      props: propsOfServer(props),
      connection: server.backend.connection,
      scripts: SCRIPTS,
      connections: CONNECTIONS,
    };
    const labels = labelsOf('mlflow', id, COMPONENT);
    const pod = Operation.pod(this, problems, input, (operation) => ({
      isAnnotated: true,
      initContainers: operation.waitForDatabase(),
      containers: [
        operation.container('archive-traces', {
          script: ['archive_traces.py'],
          connects: true,
          parts: [
            ...artifactParts(server),
            ...(traceArchival === undefined ? [] : [traceArchivalPart(this, labels, traceArchival, artifacts)]),
          ],
        }),
      ],
    }));
    // The schedule is the retry.
    this.cronJob = cronJobOf(this, pod, props, { backoffLimit: 0 });
    joinArtifacts(this, this.cronJob, server);
  }
}
