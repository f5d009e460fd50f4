import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from './labels';

/** A Service over the pods with these labels. */
export function serviceOf(
  scope: Construct,
  id: string,
  labels: ObjectLabels,
  props: kplus.ServiceProps,
): kplus.Service {
  const service = new kplus.Service(scope, id, { ...props, metadata: { ...props.metadata, labels: labels.all } });
  for (const [key, value] of Object.entries(labels.selector)) {
    service.selectLabel(key, value);
  }
  return service;
}
