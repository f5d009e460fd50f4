import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../pod/labels';
import { NetworkPeer } from './network-peer';
import { dnsRule, egressRule, networkPolicy } from './network-policy';
import { checkRoute, type NetworkRoute } from './network-route';
import type { Problems } from '../../validation/problems';

/** What pods may reach that may reach only what they need. */
export interface IsolationOptions {
  /**
   * Where names are resolved. The ports are for UDP and TCP.
   *
   * Behind NodeLocal DNSCache, `{ peers: [NetworkPeer.KUBE_DNS, NetworkPeer.cidr('169.254.20.10/32')] }`; on OpenShift,
   * `{ peers: [NetworkPeer.inNamespace('openshift-dns')], ports: [5353] }`.
   * @default - port 53 of NetworkPeer.KUBE_DNS
   */
  readonly dns?: NetworkRoute;

  /**
   * What the pods may reach besides what their other props lead to; without `ports`, on every port.
   * @default - nothing
   */
  readonly egress?: NetworkRoute[];
}

/** What the options must look like. */
export function checkIsolation(problems: Problems, options: IsolationOptions | undefined): void {
  checkRoute(problems, 'isolation.dns', options?.dns);
  options?.egress?.forEach((route, i) => {
    checkRoute(problems, `isolation.egress[${String(i)}]`, route);
  });
}

/** What isolated pods may reach: the routes and the caller's own, and DNS if there is anything to reach at all. */
export function egressOf(options: IsolationOptions, routes: NetworkRoute[]): kplus.k8s.NetworkPolicyEgressRule[] {
  // Kubernetes takes an empty list of peers or ports for all of them.
  const all = [...routes, ...(options.egress ?? [])].filter(
    (each) => each.peers?.length !== 0 && each.ports?.length !== 0,
  );
  if (all.length === 0) {
    return [];
  }
  // A store and an identity often need the same route.
  const rules = new Map(all.map(egressRule).map((rule) => [JSON.stringify(rule), rule]));
  return [dnsRule({ peers: [NetworkPeer.KUBE_DNS], ...options.dns }), ...rules.values()];
}

/** Lets the pods of a Job reach these routes, and nobody reach them. */
export function isolateJob(
  scope: Construct,
  id: string,
  name: string,
  labels: ObjectLabels,
  options: IsolationOptions,
  routes: NetworkRoute[],
): void {
  networkPolicy(scope, id, name, labels, { ingress: [], egress: egressOf(options, routes) });
}
