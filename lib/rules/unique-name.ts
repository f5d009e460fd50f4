import { Chart } from 'cdk8s';
import type { Construct, IConstruct } from 'constructs';

const NAMES_BY_ROOT = new WeakMap<IConstruct, Map<string, Construct[]>>();

/** Rule: no two constructs of one name in one namespace, since objects of the second would silently replace the first's. */
export function addUniqueNameRule(construct: Construct): void {
  const chart = Chart.of(construct);
  // A chart without a namespace is applied to whichever the user names, so it can only be compared with itself.
  const others = sameName(construct, `${chart.namespace ?? `${chart.node.path}:`}/${construct.node.id}`);
  others.push(construct);
  construct.node.addValidation({
    validate: () => {
      const first = others[0];
      if (first === undefined || first === construct) {
        return [];
      }
      const where =
        chart.namespace === undefined ? `in the chart "${chart.node.id}"` : `in the namespace "${chart.namespace}"`;
      return [
        `\`id\` must be unique ${where}, got "${construct.node.id}", which ${first.node.path} has too. Give one of them another id, or its chart another namespace.`,
      ];
    },
  });
}

function sameName(construct: Construct, name: string): Construct[] {
  const names = NAMES_BY_ROOT.get(construct.node.root) ?? new Map<string, Construct[]>();
  NAMES_BY_ROOT.set(construct.node.root, names);
  const found = names.get(name) ?? [];
  names.set(name, found);
  return found;
}
