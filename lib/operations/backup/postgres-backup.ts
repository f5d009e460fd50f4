import { Cron, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { failAtOnce } from '../../kube/pod/job';
import type { BackupLocation } from '../../artifacts/backup-location';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import { exitCode, ScriptFiles } from '../../scripts/scripts';
import { DEFAULT_RETAINED_DUMPS, DUMP_EXIT_CODES, DUMP_SCRIPTS, dumpContainers } from '../../startup/database-dump';
import { checkSeconds, checkWhole } from '../../validation/checks';
import { checkImage } from '../../validation/image';
import { problemsOf } from '../../kube/construct';
import type { Problems } from '../../validation/problems';
import { checkConstruct } from '../../validation/arguments';
import { checkOperation, Operation, type OperationProps } from '../operation';
import {
  checkScheduled,
  cronJobOf,
  DEFAULT_DEADLINE,
  type IScheduledOperation,
  type ScheduledProps,
} from '../scheduled';

const SCRIPTS = ScriptFiles.named('wait_for_database.py', ...DUMP_SCRIPTS);

/** Connections to the database: the session that holds the snapshot, and pg_dump's. */
const CONNECTIONS = 2;

/** Exit codes after which a retry cannot succeed: a permanent connection failure, and those of the dump. */
const NON_RETRYABLE_EXIT_CODES = {
  'wait-for-database': [exitCode('FAILED')],
  ...DUMP_EXIT_CODES,
};

/** Which dumps are kept. The newest complete one always is. */
export interface BackupRetention {
  /**
   * Maximum number of dumps.
   * @default 7
   */
  readonly count?: number;

  /**
   * Age at which a dump is deleted, even if there are fewer than `count`.
   * @default - no limit
   */
  readonly maxAge?: Duration;
}

/** Props of {@link PostgresBackup}. `image` runs the container that stores the dump; a bucket needs boto3 in it. */
export interface PostgresBackupProps extends OperationProps, ScheduledProps {
  /** The database to back up. */
  readonly backend: IPostgresBackend;

  /** Location of the dumps. */
  readonly target: BackupLocation;

  /**
   * Schedule of the dumps.
   * @default Cron.daily() - midnight
   */
  readonly schedule?: Cron;

  /**
   * Which dumps are kept.
   * @default - the newest 7
   */
  readonly retention?: BackupRetention;

  /**
   * Image with pg_dump, which must not be older than the PostgreSQL server.
   * @default 'docker.io/library/postgres:18-bookworm'
   */
  readonly clientImage?: string;

  /**
   * Suspends the schedule. Manual dumps still work: `kubectl create job --from=cronjob/<id> <name>`.
   * @default false
   */
  readonly suspend?: boolean;
}

/**
 * Dumps a database on a schedule: a CronJob that runs `pg_dump` and reads the compressed archive back to verify it.
 *
 * A dump is a file `<id>-<time>-<pod>.dump` and its manifest (`.json`: digest, size, rows of each table), which is written
 * last. Files without a manifest, which a pod leaves that was killed, are deleted. Only dumps of this id are deleted, only
 * after a new one is stored, and never the newest.
 *
 * A schema migration waits for a running dump, and a dump for a running migration. Dumps do not contain artifacts.
 */
export class PostgresBackup extends Construct implements IScheduledOperation {
  /** The CronJob. */
  public readonly cronJob: kplus.CronJob;

  /** Location of the dumps, for a {@link PostgresRestore}. */
  public readonly dumps: BackupLocation;

  public constructor(scope: Construct, id: string, props: PostgresBackupProps) {
    super(...checkConstruct('PostgresBackup', scope, id, props));
    const {
      schedule = Cron.daily(),
      deadline = DEFAULT_DEADLINE,
      retention: { count = DEFAULT_RETAINED_DUMPS, maxAge } = {},
    } = props;
    const problems = problemsOf(this);
    checkBackup(problems, id, props);
    const { connection } = props.backend;
    const input = { component: 'backup', props, connection, scripts: SCRIPTS, connections: CONNECTIONS };
    const pod = Operation.pod(this, problems, input, (operation) => {
      const [dump, store] = dumpContainers(
        {
          of: 'target',
          name: id,
          location: props.target._bind(this),
          deadline,
          count,
          maxAge,
          clientImage: props.clientImage,
        },
        (name, each) => operation.container(name, each),
      );
      return { initContainers: [...operation.waitForDatabase(), dump], containers: [store] };
    });
    this.dumps = props.target._madeBy(id);
    this.cronJob = cronJobOf(this, pod, { ...props, schedule }, { suspend: props.suspend, backoffLimit: 2 });
    failAtOnce(this.cronJob, NON_RETRYABLE_EXIT_CODES);
  }
}

function checkBackup(problems: Problems, id: string, props: PostgresBackupProps): void {
  checkOperation(problems, id, props);
  checkImage(problems, 'clientImage', props.clientImage);
  props.target._check(problems, 'target');
  checkScheduled(problems, props.schedule, props);
  checkWhole(
    problems,
    'retention.count',
    props.retention?.count,
    { least: 1 },
    'The newest dump is always kept. To pause, use `suspend`.',
  );
  checkSeconds(problems, 'retention.maxAge', props.retention?.maxAge);
}
