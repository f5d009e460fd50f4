import { Chart } from 'cdk8s';
import type { Construct, IConstruct } from 'constructs';

import { addRule, type Rule } from '../validation/rule';

/** The constructs of one name in one namespace, oldest first. */
interface SharedName {
  readonly constructs: Construct[];
}

const NAMES_BY_ROOT = new WeakMap<IConstruct, Map<string, SharedName>>();

export const UNIQUE_NAME: Rule<SharedName> = {
  id: 'unique-name',
  description:
    'No two constructs have the same name in one namespace: the objects of one would replace those of the other.',
  validate: ({ constructs }) => {
    const last = constructs.at(-1);
    const others = constructs.slice(0, -1).map(({ node }) => node.path);
    if (last === undefined || others.length === 0) {
      return [];
    }
    const chart = Chart.of(last);
    const where =
      chart.namespace === undefined ? `in the chart "${chart.node.id}"` : `in the namespace "${chart.namespace}"`;
    return [
      `\`id\` must be unique ${where}, got "${last.node.id}", which ${others.join(', ')} ${others.length === 1 ? 'has' : 'have'} too. Give one of them another id, or its chart another namespace.`,
    ];
  },
};

/** Adds the rule for a construct whose objects are named by its id. */
export function addUniqueNameRule(construct: Construct): void {
  const chart = Chart.of(construct);
  const names = NAMES_BY_ROOT.get(construct.node.root) ?? new Map<string, SharedName>();
  NAMES_BY_ROOT.set(construct.node.root, names);
  // The namespace of a chart that names none is known only when it is applied, so it is compared with itself alone.
  const name = `${chart.namespace ?? `${chart.node.path}:`}/${construct.node.id}`;
  const subject = names.get(name) ?? { constructs: [] };
  names.set(name, subject);
  subject.constructs.push(construct);
  addRule(construct, UNIQUE_NAME, subject);
}
