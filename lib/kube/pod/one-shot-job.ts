import { ApiObject } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { contentDigest } from '../values/digest';
import { type ExitCodes, failAtOnce } from './fail-at-once';
import type { ObjectLabels } from './labels';
import { completePodSpec, type PodSpecFields } from './pod-spec';

/**
 * A Job that runs once for each content: its name ends in a digest of its whole template.
 *
 * A template cannot be changed, so that an equal one is applied without effect and another one is another Job.
 */
export function oneShotJob(
  scope: Construct,
  id: string,
  labels: ObjectLabels,
  props: kplus.JobProps & { readonly name: string },
  { failAtOnce: codes, ...fields }: PodSpecFields & { readonly failAtOnce?: ExitCodes } = {},
): kplus.Job {
  const make = (childId: string, name: string): kplus.Job => {
    const job = new kplus.Job(scope, childId, {
      ...props,
      metadata: { name, labels: labels.all },
      podMetadata: { ...props.podMetadata, labels: { ...props.podMetadata?.labels, ...labels.all } },
    });
    completePodSpec(job, fields);
    if (codes !== undefined) {
      failAtOnce(job, codes);
    }
    return job;
  };
  const draft = make(`${id}-draft`, props.name);
  const { spec } = ApiObject.of(draft).toJson() as { spec: unknown };
  scope.node.tryRemoveChild(draft.node.id);
  return make(id, `${props.name}-${contentDigest(spec)}`);
}
