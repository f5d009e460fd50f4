import { ApiObject, type Cron, Duration, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { completePod, type Pod, podProps } from '../kube/pod/pod';

import { checkSeconds, checkWhole } from '../validation/checks';
import type { Problems } from '../validation/problems';
import { checkSchedule, checkTimeZone } from '../validation/schedule';

/** How long one Job may take where nothing is said. */
export const DEFAULT_DEADLINE = Duration.hours(6);

/** Props of every CronJob around a database. */
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

/** Validates these props. */
export function checkScheduled(problems: Problems, schedule: Cron | undefined, props: ScheduledProps): void {
  checkSchedule(problems, 'schedule', schedule);
  checkTimeZone(problems, 'timeZone', props.timeZone);
  checkSeconds(problems, 'deadline', props.deadline);
  checkWhole(problems, 'successfulJobsRetained', props.successfulJobsRetained, { least: 0 });
  checkWhole(problems, 'failedJobsRetained', props.failedJobsRetained, { least: 0 });
}

/** A CronJob of a pod, named by the construct's id: one Job at a time, and late rather than never. */
export function cronJobOf(
  scope: Construct,
  pod: Pod,
  scheduled: ScheduledProps & { readonly schedule: Cron },
  props: Pick<kplus.CronJobProps, 'suspend' | 'backoffLimit'>,
): kplus.CronJob {
  const job = new kplus.CronJob(scope, 'cron-job', {
    ...podProps(scope, pod),
    ...props,
    metadata: { name: scope.node.id, labels: pod.labels.all },
    schedule: scheduled.schedule,
    timeZone: scheduled.timeZone ?? 'Etc/UTC',
    concurrencyPolicy: kplus.ConcurrencyPolicy.FORBID,
    // What was due while the control plane was away. The default of cdk8s-plus is 10 s.
    startingDeadline: Duration.hours(1),
    activeDeadline: scheduled.deadline ?? DEFAULT_DEADLINE,
    successfulJobsRetained: scheduled.successfulJobsRetained ?? 3,
    failedJobsRetained: scheduled.failedJobsRetained ?? 3,
  });
  ApiObject.of(job).addJsonPatch(JsonPatch.add('/spec/jobTemplate/metadata', { labels: pod.labels.all }));
  completePod(job, pod);
  return job;
}
