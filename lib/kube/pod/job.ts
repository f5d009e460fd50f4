import { ApiObject, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { nameByContent } from '../unique-name';
import { contentDigest } from '../values/digest';

import { completePod, type Pod, podProps } from './pod';

/** Exit codes by the name of the container. */
export type ExitCodes = Record<string, number[]>;

/** Options of {@link oneShotJob}. */
export interface OneShotJobOptions extends Pick<kplus.JobProps, 'backoffLimit' | 'activeDeadline'> {
  /** Start of the Job's name. A digest of the Job's spec follows. */
  readonly name: string;
  /** Exit codes after which the Job fails without a retry. */
  readonly failAtOnce?: ExitCodes;
}

/**
 * A Job that runs once for each content: its name ends in a digest of its spec.
 *
 * The pod template of a Job is immutable. Applying the same spec again has no effect; another spec is another Job. The digest is
 * made at the synthesis, of the rendered spec with all labels, patches and containers that were added to the Job.
 */
export function oneShotJob(scope: Construct, id: string, pod: Pod, options: OneShotJobOptions): kplus.Job {
  const { name, failAtOnce: codes, ...others } = options;
  const job = new kplus.Job(scope, id, {
    ...podProps(scope, pod),
    ...others,
    metadata: { name, labels: pod.labels.all },
  });
  completePod(job, pod);
  if (codes !== undefined) {
    failAtOnce(job, codes);
  }
  const object = ApiObject.of(job);
  nameByContent(object, name, nameOf(object, name));
  return job;
}

/**
 * Makes a Job fail without a retry after these exit codes, where another pod would fail, too.
 *
 * Needs Kubernetes 1.26 or later; older versions retry as after any other exit code.
 * @see https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy
 */
export function failAtOnce(job: kplus.Job | kplus.CronJob, codes: ExitCodes): void {
  const spec = job.kind === 'CronJob' ? '/spec/jobTemplate/spec' : '/spec';
  const rules = Object.entries(codes).map(([containerName, values]) => ({
    action: 'FailJob',
    onExitCodes: { containerName, operator: 'In', values },
    // Empty, but required by the schema of 1.28.
    onPodConditions: [],
  }));
  ApiObject.of(job).addJsonPatch(JsonPatch.add(`${spec}/podFailurePolicy`, { rules }));
}

/** A name that ends in a digest of the rendered spec. */
function nameOf(object: ApiObject, name: string): () => string {
  let isRendering = false;
  return () => {
    // The spec does not contain the name, so any name will do while it is rendered.
    if (isRendering) {
      return name;
    }
    isRendering = true;
    try {
      const { spec } = object.toJson() as { spec: unknown };
      return `${name}-${contentDigest(spec)}`;
    } finally {
      isRendering = false;
    }
  };
}
