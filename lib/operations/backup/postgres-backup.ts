import { Cron, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { IMAGES } from '../../images';
import { failAtOnce } from '../../kube/pod/job';
import { labelsOf } from '../../kube/pod/labels';
import type { PodPart } from '../../kube/pod/pod-part';
import { texts } from '../../kube/values/env-values';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import { exitCode, ScriptFiles } from '../../scripts/scripts';
import { checkImage, checkSeconds, checkWhole } from '../../validation/checks';
import { checkConstruct } from '../../validation/arguments';
import { Problems } from '../../validation/problems';
import { checkOperation, Operation, type OperationProps } from '../operation';
import { checkScheduled, cronJobOf, DEFAULT_DEADLINE, type ScheduledProps } from '../scheduled';

import type { BackupLocation } from './backup-location';

const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'dump_database.sh', 'store_backup.py');

/** Connections to the database: the session that holds the snapshot, and pg_dump. */
const CONNECTIONS = 2;

/** Exit codes of the scripts that no second try would change: cannot heal, pg_dump is too old, old dumps stay. */
const NON_RETRYABLE_EXIT_CODES = {
  'wait-for-database': [exitCode('FAILED')],
  dump: [exitCode('WRONG_VERSION')],
  store: [exitCode('NOT_DELETED')],
};

/** Which dumps are kept. The newest whole one always is. */
export interface BackupRetention {
  /**
   * How many dumps are kept at the most.
   * @default 7
   */
  readonly count?: number;

  /**
   * The age at which a dump is deleted, even if there are fewer than `count`.
   * @default - any age
   */
  readonly maxAge?: Duration;
}

/** Props of {@link PostgresBackup}. `image` is that of the container that stores, which needs boto3 for a bucket. */
export interface PostgresBackupProps extends OperationProps, ScheduledProps {
  /** The database. */
  readonly backend: IPostgresBackend;

  /** Where dumps go. */
  readonly target: BackupLocation;

  /**
   * When a dump is made.
   * @default Cron.daily() - midnight
   */
  readonly schedule?: Cron;

  /**
   * Which dumps are kept.
   * @default - the newest 7
   */
  readonly retention?: BackupRetention;

  /**
   * The image with pg_dump: its version must not be lower than the server's.
   * @default 'docker.io/library/postgres:18-bookworm'
   */
  readonly clientImage?: string;

  /**
   * Whether the schedule rests. Dumps by hand still work: `kubectl create job --from=cronjob/<id> <name>`.
   * @default false
   */
  readonly suspend?: boolean;
}

/**
 * Dumps a database on a schedule, as a CronJob: `pg_dump` in a compressed archive that is read back before it counts.
 *
 * A dump is a file `<id>-<time>-<pod>.dump` with a manifest beside it (`.json`: digest, size, rows of each table), which
 * is written last. What a pod that died has left is no dump, and is cleared away. Only dumps of this id are ever deleted,
 * only after a new one is stored, and never the newest.
 *
 * A schema migration waits for a dump that runs, and a dump for a migration. Artifacts are not in a dump.
 */
export class PostgresBackup extends Construct {
  /** The CronJob, to go on from. */
  public readonly cronJob: kplus.CronJob;

  /** Where the dumps are, for a {@link PostgresRestore}. */
  public readonly dumps: BackupLocation;

  public constructor(scope: Construct, id: string, props: PostgresBackupProps) {
    super(...checkConstruct('PostgresBackup', scope, id, props));
    const problems = new Problems(this);
    checkBackup(problems, id, props);
    const pod = problems.finish(() => {
      const operation = new Operation(
        this,
        problems,
        labelsOf('mlflow', id, 'backup'),
        props,
        props.backend.connection,
        SCRIPTS,
      );
      operation.demandConnections(CONNECTIONS);
      const place = props.target._bind(this);
      const work: PodPart = { volumeMounts: place.workMounts, envVariables: workVariables(place.workFolder, props) };
      return operation.pod({
        initContainers: [
          ...operation.waitForDatabase(),
          operation.container('dump', {
            script: ['dump_database.sh'],
            image: props.clientImage ?? IMAGES.postgres,
            connects: true,
            parts: [work],
          }),
        ],
        containers: [
          operation.container('store', {
            script: ['store_backup.py'],
            connects: false,
            parts: [work, { of: 'target', ...place.access }, storeSettings(id, place.uri, props)],
          }),
        ],
      });
    });

    this.dumps = props.target._madeBy(id);
    this.cronJob = cronJobOf(
      this,
      pod,
      { ...props, schedule: props.schedule ?? Cron.daily() },
      { suspend: props.suspend, backoffLimit: 2 },
    );
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

function workVariables(
  workFolder: string,
  { deadline = DEFAULT_DEADLINE }: PostgresBackupProps,
): Record<string, kplus.EnvValue> {
  return texts({
    WORK_FOLDER: workFolder,
    // No pod outlives the deadline of its Job by more than the grace period.
    STALE_MINUTES: Math.ceil(deadline.toMinutes({ integral: false })) + 10,
  });
}

function storeSettings(id: string, uri: string, { retention }: PostgresBackupProps): PodPart {
  const { count = 7, maxAge } = retention ?? {};
  return {
    envVariables: texts({
      BACKUP_NAME: id,
      BACKUP_LOCATION: uri,
      KEEP_COUNT: count,
      ...(maxAge !== undefined && { KEEP_SECONDS: maxAge.toSeconds() }),
    }),
  };
}
