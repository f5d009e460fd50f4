import type { Cron, Duration } from 'cdk8s';

import { checkImage, checkSeconds, checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';

import { type BackupLocation, checkLocation } from './backup-location';
import { checkOperation, type OperationProps } from '../operation-props';
import { checkScheduled, type ScheduledProps } from '../scheduled-props';

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

/** What these props must look like. */
export function checkBackup(problems: Problems, id: string, props: PostgresBackupProps): void {
  checkOperation(problems, id, props);
  checkImage(problems, 'clientImage', props.clientImage);
  checkLocation(problems, 'target', props.target);
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
