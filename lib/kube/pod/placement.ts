import type * as kplus from 'cdk8s-plus-28';

import type { ObjectLabels } from './labels';

/** Spreads pods evenly over nodes and zones, if possible. */
export const OVER_NODES_AND_ZONES: kplus.k8s.TopologySpreadConstraint[] = [
  { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' },
  { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
];

/** The constraints, applied to the pods with these labels unless they have a selector. */
export function spreadOf(
  constraints: kplus.k8s.TopologySpreadConstraint[] | undefined,
  labels: ObjectLabels,
): kplus.k8s.TopologySpreadConstraint[] | undefined {
  return constraints?.map((constraint) => ({ labelSelector: { matchLabels: labels.selector }, ...constraint }));
}
