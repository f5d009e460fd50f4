import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { IMAGES } from '../images';
import { problemsOf } from '../kube/construct';
import { oneShotJob } from '../kube/pod/job';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { isSameDatabase } from '../postgres/connection/server-names';
import { addFilling, NO_SERVER_WHILE_MOVING } from '../rules/no-running-server';
import { addFillingJob } from '../rules/one-filling-job';
import { exitCode, ScriptFiles } from '../scripts/scripts';
import { checkConstruct } from '../validation/arguments';
import { checkSeconds } from '../validation/checks';
import { checkImage } from '../validation/image';
import type { Problems } from '../validation/problems';

import { checkOperation, Operation, type OperationProps } from './operation';
import { WorkingCopy } from './working-copy';

const COMPONENT = 'database-move';
const WORK_FOLDER = '/work';
const SERVERS_DEADLINE = Duration.minutes(10);
const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'dump_database.sh', 'move_database.sh', 'verify_source.sh');

// Exit codes after which a retry cannot succeed: permanent connection failure, tools too old, target not empty, source changed.
const NON_RETRYABLE_EXIT_CODES = {
  'wait-for-source': [exitCode('FAILED')],
  'wait-for-database': [exitCode('FAILED')],
  dump: [exitCode('WRONG_VERSION')],
  restore: [exitCode('NOT_EMPTY'), exitCode('WRONG_VERSION')],
  'verify-source': [exitCode('WRONG_VERSION')],
};

/** Props of {@link DatabaseMove}. */
export interface DatabaseMoveProps extends OperationProps {
  /** The database that is moved. It is only read, and stays as it is. */
  readonly source: IPostgresBackend;

  /** The database that gets the content. It must be empty. */
  readonly target: IPostgresBackend;

  /**
   * Image with PostgreSQL's tools, which must not be older than either server.
   * @default 'docker.io/library/postgres:18-bookworm'
   */
  readonly clientImage?: string;

  /**
   * Volume for the dump, which is compressed: about half the size of the database.
   * @default WorkingCopy.emptyDir()
   */
  readonly workingCopy?: WorkingCopy;

  /**
   * Time limit of the move, including retries. An interrupted move leaves the target empty.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

/**
 * A Job that copies a database into another one, of any backend and of the same or a later version of PostgreSQL, once.
 *
 * It waits for the servers on the source to stop, dumps it, and restores it in one transaction, which commits only if each table
 * has the same rows and checksum, and each sequence the same state. Then it compares the source once more: nobody has written to
 * it meanwhile. If it fails or is killed, the target is empty or complete, and it can run again. Set the `replicas` of all servers
 * on both databases to 0 first; afterwards give them the target as `backend` and remove the move from the app. The source stays
 * as it is, so the way back is its `backend`, without what was logged since.
 */
export class DatabaseMove extends Construct {
  /** The Job, named by its content. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: DatabaseMoveProps) {
    super(...checkConstruct('DatabaseMove', scope, id, props));
    const { source, target, clientImage: image = IMAGES.postgres, workingCopy = WorkingCopy.emptyDir() } = props;
    const problems = problemsOf(this);
    checkMove(problems, this, props);
    workingCopy._check(problems);
    const input = {
      component: COMPONENT,
      props,
      connection: target.connection,
      of: 'target',
      scripts: SCRIPTS,
    };
    const pod = Operation.pod(this, problems, input, (operation) => {
      const work: PodPart = {
        envVariables: texts({ WORK_FOLDER, WITH_DIGESTS: 'on' }),
        volumeMounts: [{ path: WORK_FOLDER, volume: workingCopy._volume(this) }],
      };
      const connected = operation.partsOf('source', source.connection);
      const fromSource = [...connected, work, { envVariables: texts({ PGAPPNAME: COMPONENT }) }];
      const dump = texts({ SERVERS_DEADLINE_SECONDS: SERVERS_DEADLINE.toSeconds(), STALE_MINUTES: 0 });
      return {
        initContainers: [
          ...operation.waitForDatabase('wait-for-source', connected),
          ...operation.waitForDatabase(),
          operation.container('dump', {
            script: ['dump_database.sh'],
            image,
            connects: false,
            parts: [...fromSource, { envVariables: dump }],
          }),
          operation.container('restore', { script: ['move_database.sh'], image, connects: true, parts: [work] }),
        ],
        containers: [
          operation.container('verify-source', {
            script: ['verify_source.sh'],
            image,
            connects: false,
            parts: fromSource,
          }),
        ],
        ephemeralVolumes: workingCopy._ephemeralVolumes,
      };
    });
    this.job = oneShotJob(this, 'job', pod, {
      name: id,
      activeDeadline: props.deadline ?? Duration.hours(6),
      backoffLimit: 2,
      failAtOnce: NON_RETRYABLE_EXIT_CODES,
    });
    addFilling(NO_SERVER_WHILE_MOVING, source, this);
    addFilling(NO_SERVER_WHILE_MOVING, target, this);
    addFillingJob(this, target);
  }
}

function checkMove(problems: Problems, move: DatabaseMove, props: DatabaseMoveProps): void {
  checkOperation(problems, move.node.id, props);
  checkImage(problems, 'clientImage', props.clientImage);
  checkSeconds(problems, 'deadline', props.deadline);
  const [source, target] = [props.source.connection.unpooled, props.target.connection.unpooled];
  if (isSameDatabase(source, target, move)) {
    problems.say('`target` must be another database than `source`, got the same one.');
  }
  const [name, other] = [source, target].map(({ sidecar }) => sidecar?.container.name);
  if (name !== undefined && name === other) {
    problems.say(
      `\`source\` and \`target\` must not both connect through a sidecar "${name}": a pod has one container of a name.`,
      'Give one of them as a backend with a password: ExternalPostgres or ExistingSecretPostgres.',
    );
  }
  if (source.schema !== target.schema) {
    problems.say(
      `\`target\` must have the schema of \`source\`, ${source.schema ?? 'none'}, got ${target.schema ?? 'none'}: a dump keeps the names of schemas.`,
      'Leave `schema` out of both, or set it to the same name. Rename it after the move: ALTER SCHEMA ... RENAME TO.',
    );
  }
}
