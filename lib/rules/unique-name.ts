import { Chart } from 'cdk8s';
import type { Construct, IConstruct } from 'constructs';

const NAMES_BY_ROOT = new WeakMap<IConstruct, Map<string, Construct[]>>();

/** Rule: no two servers of one name in one namespace, since the second would silently replace the first. */
export function addUniqueNameRule(server: Construct): void {
  const chart = Chart.of(server);
  // A chart without a namespace is applied to whichever the user names, so it can only be compared with itself.
  const others = sameName(server, `${chart.namespace ?? `${chart.node.path}:`}/${server.node.id}`);
  others.push(server);
  server.node.addValidation({
    validate: () => {
      const first = others[0];
      if (first === undefined || first === server) {
        return [];
      }
      const where =
        chart.namespace === undefined ? `in the chart "${chart.node.id}"` : `in the namespace "${chart.namespace}"`;
      return [
        `\`id\` must be unique ${where}, got "${server.node.id}", which ${first.node.path} has too. Give one of them another id, or its chart another namespace.`,
      ];
    },
  });
}

function sameName(server: Construct, name: string): Construct[] {
  const names = NAMES_BY_ROOT.get(server.node.root) ?? new Map<string, Construct[]>();
  NAMES_BY_ROOT.set(server.node.root, names);
  const found = names.get(name) ?? [];
  names.set(name, found);
  return found;
}
