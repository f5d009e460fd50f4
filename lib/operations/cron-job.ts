import { ApiObject, Duration, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../kube/pod/labels';

import type { ScheduledProps } from './scheduled-props';

/** How long one Job may take where nothing is said. */
export const DEFAULT_DEADLINE = Duration.hours(6);

/** A CronJob named by the construct's id: one Job at a time, and late rather than never. */
export function cronJob(
  scope: Construct,
  labels: ObjectLabels,
  scheduled: ScheduledProps,
  props: kplus.CronJobProps,
): kplus.CronJob {
  const job = new kplus.CronJob(scope, 'cron-job', {
    ...props,
    metadata: { name: scope.node.id, labels: labels.all },
    timeZone: scheduled.timeZone ?? 'Etc/UTC',
    concurrencyPolicy: kplus.ConcurrencyPolicy.FORBID,
    // What was due while the control plane was away. The default of cdk8s-plus is 10 s.
    startingDeadline: Duration.hours(1),
    activeDeadline: scheduled.deadline ?? DEFAULT_DEADLINE,
    successfulJobsRetained: scheduled.successfulJobsRetained ?? 3,
    failedJobsRetained: scheduled.failedJobsRetained ?? 3,
  });
  ApiObject.of(job).addJsonPatch(JsonPatch.add('/spec/jobTemplate/metadata', { labels: labels.all }));
  return job;
}
