import { Chart, Lazy } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { egressOf, type IsolationOptions } from '../kube/network/isolation';
import type { NetworkRoute } from '../kube/network/network-route';
import { labelsOf } from '../kube/pod/labels';
import type { IMlflowServer } from '../server/mlflow-server-reference';

/** Where the webhooks of each isolated server go. */
const ROUTES = new WeakMap<IMlflowServer, NetworkRoute[]>();

/** Lets the pods of an isolated server connect to a receiver, by a policy besides the server's own: all of a pod apply together. */
export function openWebhookRoute(server: IMlflowServer, route: NetworkRoute): void {
  const { isolation } = server;
  if (isolation === undefined) {
    return;
  }
  const routes = ROUTES.get(server) ?? webhookPolicy(server, isolation);
  ROUTES.set(server, routes);
  routes.push(route);
}

/** Makes the policy, in the server's chart, and returns its routes, to which others can be added. */
function webhookPolicy(server: IMlflowServer, isolation: IsolationOptions): NetworkRoute[] {
  const routes: NetworkRoute[] = [];
  const name = `${server.serverName}-webhooks`;
  const labels = labelsOf('mlflow', server.serverName, 'webhooks').all;
  new kplus.k8s.KubeNetworkPolicy(Chart.of(server), `${name}-network-policy`, {
    metadata: { name, labels },
    spec: {
      podSelector: { matchLabels: server.podSelector },
      policyTypes: ['Egress'],
      egress: Lazy.any({ produce: () => egressOf(isolation, routes) }) as kplus.k8s.NetworkPolicyEgressRule[],
    },
  });
  return routes;
}
