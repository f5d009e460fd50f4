import { ApiObject, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

/** Exit codes by the name of the container. */
export type ExitCodes = Record<string, number[]>;

/**
 * Exit codes, by container, after which a Job fails without another try: what another pod would not do better.
 *
 * Kubernetes 1.26 and later; older ones try as often as for any other code.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
 */
export function failAtOnce(job: kplus.Job | kplus.CronJob, codes: ExitCodes): void {
  const spec = job instanceof kplus.CronJob ? '/spec/jobTemplate/spec' : '/spec';
  const rules = Object.entries(codes).map(([containerName, values]) => ({
    action: 'FailJob',
    onExitCodes: { containerName, operator: 'In', values },
    // Nothing, which the schema of 1.28 asks for.
    onPodConditions: [],
  }));
  ApiObject.of(job).addJsonPatch(JsonPatch.add(`${spec}/podFailurePolicy`, { rules }));
}
