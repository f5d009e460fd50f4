import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from './labels';

/** Lets a drained node, or a cluster upgrade, take one of these pods away at a time. */
export function disruptionBudget(scope: Construct, name: string, labels: ObjectLabels): void {
  new kplus.k8s.KubePodDisruptionBudget(scope, 'disruption-budget', {
    metadata: { name, labels: labels.all },
    spec: { maxUnavailable: kplus.k8s.IntOrString.fromNumber(1), selector: { matchLabels: labels.selector } },
  });
}
