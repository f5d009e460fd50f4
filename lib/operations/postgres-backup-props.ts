import type { Cron, Duration } from 'cdk8s';

import { checkImage, checkSeconds, checkWhole } from '../kube/checks';
import type { Problems } from '../kube/problems';
import { checkSchedule, checkTimeZone } from '../kube/schedule';
import type { IPostgresBackend } from '../postgres/postgres-backend';

import { type BackupLocation, checkLocation } from './backup-location';
import { checkOperation, type OperationProps } from './operation-props';

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
export interface PostgresBackupProps extends OperationProps {
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
   * The time zone of the schedule, by its name in the IANA database. Kubernetes 1.27 and later.
   * @default 'Etc/UTC'
   */
  readonly timeZone?: string;

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
   * How long one backup may take, all its tries together. After it, it has failed, and the next one is due.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;

  /**
   * Whether the schedule rests. Dumps by hand still work: `kubectl create job --from=cronjob/<id> <name>`.
   * @default false
   */
  readonly suspend?: boolean;

  /**
   * How many Jobs that went well are kept to look at.
   * @default 3
   */
  readonly successfulJobsRetained?: number;

  /**
   * How many Jobs that failed are kept to look at.
   * @default 3
   */
  readonly failedJobsRetained?: number;
}

/** What these props must look like. */
export function checkBackup(problems: Problems, id: string, props: PostgresBackupProps): void {
  checkOperation(problems, id, props);
  checkImage(problems, 'clientImage', props.clientImage);
  checkLocation(problems, 'target', props.target);
  checkSchedule(problems, 'schedule', props.schedule);
  checkTimeZone(problems, 'timeZone', props.timeZone);
  checkWhole(
    problems,
    'retention.count',
    props.retention?.count,
    { least: 1 },
    'The newest dump is always kept. To pause, use `suspend`.',
  );
  checkSeconds(problems, 'retention.maxAge', props.retention?.maxAge);
  checkSeconds(problems, 'deadline', props.deadline);
  checkWhole(problems, 'successfulJobsRetained', props.successfulJobsRetained, { least: 0 });
  checkWhole(problems, 'failedJobsRetained', props.failedJobsRetained, { least: 0 });
}
