import { ApiObject, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { markNamedByContent } from '../unique-name';
import { contentDigest } from '../values/digest';

import { completePod, type Pod, podProps } from './pod';

/** Exit codes by the name of the container. */
export type ExitCodes = Record<string, number[]>;

/** What a Job is, besides its pod. */
export interface OneShotJobOptions extends Pick<kplus.JobProps, 'backoffLimit' | 'activeDeadline'> {
  /** The name, to which a digest of the whole template is added. */
  readonly name: string;
  /** Exit codes after which there is no other try. */
  readonly failAtOnce?: ExitCodes;
}

/**
 * A Job that runs once for each content: its name ends in a digest of its whole template.
 *
 * A template cannot be changed, so that an equal one is applied without effect and another one is another Job. The name follows
 * what is rendered, with all that was added to the Job until then: labels, patches, containers.
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
  nameByContent(ApiObject.of(job), name);
  return job;
}

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

function nameByContent(object: ApiObject, name: string): void {
  markNamedByContent(object);
  let isRendering = false;
  const get = (): string => {
    // The name is no part of the spec, so that any will do while the spec is rendered.
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
  Object.defineProperty(object, 'name', { get });
  Object.defineProperty(object.metadata, 'name', { get });
}
