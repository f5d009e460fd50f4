import type { Cron, Duration } from 'cdk8s';

import { checkSeconds, checkWhole } from '../validation/checks';
import type { Problems } from '../validation/problems';
import { checkSchedule, checkTimeZone } from '../validation/schedule';

/** What every CronJob around a database has in common. */
export interface ScheduledProps {
  /**
   * The time zone of the schedule, by its name in the IANA database. Kubernetes 1.27 and later.
   * @default 'Etc/UTC'
   */
  readonly timeZone?: string;

  /**
   * How long one Job may take, all its tries together. After it, it has failed, and the next one is due.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;

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
export function checkScheduled(problems: Problems, schedule: Cron | undefined, props: ScheduledProps): void {
  checkSchedule(problems, 'schedule', schedule);
  checkTimeZone(problems, 'timeZone', props.timeZone);
  checkSeconds(problems, 'deadline', props.deadline);
  checkWhole(problems, 'successfulJobsRetained', props.successfulJobsRetained, { least: 0 });
  checkWhole(problems, 'failedJobsRetained', props.failedJobsRetained, { least: 0 });
}
