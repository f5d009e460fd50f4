import { ApiObject, type Cron, Duration, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct, IConstruct } from 'constructs';

import { completePod, type Pod, podProps } from '../kube/pod/pod';

import { checkSeconds, checkWhole } from '../validation/checks';
import type { Problems } from '../validation/problems';
import { checkSchedule, checkTimeZone } from '../validation/schedule';

/** Default time limit of one Job. */
export const DEFAULT_DEADLINE = Duration.hours(6);

/** Props that all CronJobs share. */
export interface ScheduledProps {
  /**
   * Time zone of the schedule, by its name in the IANA database. Kubernetes 1.27 or later.
   * @default 'Etc/UTC'
   */
  readonly timeZone?: string;

  /**
   * Time limit of one Job, including retries. After it, the Job fails and the schedule goes on.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;

  /**
   * Number of succeeded Jobs to keep.
   * @default 3
   */
  readonly successfulJobsRetained?: number;

  /**
   * Number of failed Jobs to keep.
   * @default 3
   */
  readonly failedJobsRetained?: number;
}

/** An operation on a schedule: {@link PostgresBackup}, {@link MlflowGarbageCollection}, {@link MlflowTraceArchival}. */
export interface IScheduledOperation extends IConstruct {
  /** The CronJob. */
  readonly cronJob: kplus.CronJob;
}

/** Validates a schedule and the props that all CronJobs share. */
export function checkScheduled(problems: Problems, schedule: Cron | undefined, props: ScheduledProps): void {
  checkSchedule(problems, 'schedule', schedule);
  checkTimeZone(problems, 'timeZone', props.timeZone);
  checkSeconds(problems, 'deadline', props.deadline);
  checkWhole(problems, 'successfulJobsRetained', props.successfulJobsRetained, { least: 0 });
  checkWhole(problems, 'failedJobsRetained', props.failedJobsRetained, { least: 0 });
}

/** A CronJob named by the construct's id. It runs one Job at a time, and starts a missed one up to an hour late. */
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
    // So that Jobs run that were due while the control plane was down. The default of cdk8s-plus is 10 s.
    startingDeadline: Duration.hours(1),
    activeDeadline: scheduled.deadline ?? DEFAULT_DEADLINE,
    successfulJobsRetained: scheduled.successfulJobsRetained ?? 3,
    failedJobsRetained: scheduled.failedJobsRetained ?? 3,
  });
  ApiObject.of(job).addJsonPatch(JsonPatch.add('/spec/jobTemplate/metadata', { labels: pod.labels.all }));
  completePod(job, pod);
  return job;
}
