import { ApiObject } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { contentDigest } from '../values/digest';

import { type ExitCodes, failAtOnce } from './fail-at-once';
import { completePod, type Pod, podProps } from './pod';

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

function nameByContent(object: ApiObject, name: string): void {
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
