import type * as kplus from 'cdk8s-plus-28';

import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { checkLabelKey, checkSelector } from '../values/metadata';

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

/** Validates constraints, which the API server refuses otherwise. */
export function checkSpread(
  problems: Problems,
  prop: string,
  constraints: kplus.k8s.TopologySpreadConstraint[] = [],
): void {
  const seen = new Set<string>();
  constraints.forEach((constraint, i) => {
    const at = problems.at(`${prop}[${String(i)}]`);
    const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, labelSelector, matchLabelKeys = [] } = constraint;
    checkWhole(at, 'maxSkew', maxSkew, { least: 1 });
    checkLabelKey(at, 'topologyKey', topologyKey);
    checkOneOf(at, 'whenUnsatisfiable', whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']);
    checkOneOf(at, 'nodeAffinityPolicy', constraint.nodeAffinityPolicy, ['Honor', 'Ignore']);
    checkOneOf(at, 'nodeTaintsPolicy', constraint.nodeTaintsPolicy, ['Honor', 'Ignore']);
    checkWhole(at, 'minDomains', minDomains, { least: 1 });
    if (minDomains !== undefined && whenUnsatisfiable === 'ScheduleAnyway') {
      at.add('minDomains', 'must be left out with ScheduleAnyway', minDomains, 'Use DoNotSchedule, or leave it out.');
    }
    checkSelector(at, 'labelSelector', labelSelector);
    matchLabelKeys.forEach((key, j) => {
      checkLabelKey(at, `matchLabelKeys[${String(j)}]`, key);
    });
    const pair = `${topologyKey} ${whenUnsatisfiable}`;
    if (seen.has(pair)) {
      at.add('topologyKey', `must not come twice with ${whenUnsatisfiable}`, topologyKey);
    }
    seen.add(pair);
  });
}

function checkOneOf(problems: Problems, prop: string, value: string | undefined, allowed: string[]): void {
  if (value !== undefined && !allowed.includes(value)) {
    problems.add(prop, `must be ${allowed.join(' or ')}`, value);
  }
}
