import { Chart } from 'cdk8s';
import type { Construct, IConstruct } from 'constructs';

import { addRule, type Rule, type RuleSubject } from '../validation/rule';

/** A host and path, and the servers that it is routed to, oldest first. */
interface SharedRoute extends RuleSubject {
  readonly constructs: Construct[];
  /** The prop: `ingress` or `httpRoute`. */
  readonly prop: string;
  readonly url: string;
}

/** The address of a server at an ingress controller or a gateway. */
export interface ServerRoute {
  readonly prop: string;
  /** What serves the address: the class of an Ingress, or a Gateway. The same address at another one is another route. */
  readonly at: string;
  readonly host: string;
  readonly path: string;
}

const ROUTES_BY_ROOT = new WeakMap<IConstruct, Map<string, SharedRoute>>();

export const UNIQUE_ROUTE: Rule<SharedRoute> = {
  id: 'unique-route',
  description: 'No two servers have the same host and path at one ingress controller or gateway.',
  validate: ({ constructs, prop, url }) => {
    const others = constructs.slice(0, -1).map(({ node }) => node.path);
    return others.length === 0
      ? []
      : [
          `\`${prop}\` must have a host and path of its own, got ${url}, which is routed to ${others.join(', ')} too: only one of them would get the requests. Change \`${prop}.hosts\`, or set another \`staticPrefix\`.`,
        ];
  },
};

/** Adds the rule for each address of a server. */
export function addRoutes(server: Construct, routes: readonly ServerRoute[]): void {
  const shared = ROUTES_BY_ROOT.get(server.node.root) ?? new Map<string, SharedRoute>();
  ROUTES_BY_ROOT.set(server.node.root, shared);
  const chart = Chart.of(server);
  // The namespace of a chart that names none, and so its cluster, is known only when it is applied.
  const cluster = chart.namespace === undefined ? chart.node.path : '';
  for (const { prop, at, host, path } of routes) {
    const url = `${host}${path.replace(/\/*$/, '/')}`;
    const key = JSON.stringify([cluster, prop, at, url]);
    const route = shared.get(key) ?? { constructs: [], prop, url };
    shared.set(key, route);
    if (!route.constructs.includes(server)) {
      route.constructs.push(server);
      addRule(server, UNIQUE_ROUTE, route);
    }
  }
}
