import { Lazy } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { Problems } from '../../validation/problems';
import type { ObjectLabels } from '../pod/labels';

import { NetworkPeer } from './network-peer';
import { checkRoute, type NetworkRoute } from './network-route';

/** Isolation of pods: a NetworkPolicy allows them only the connections that they need. */
export interface IsolationOptions {
  /**
   * Network route to the DNS servers. Its ports are allowed for UDP and TCP.
   *
   * With NodeLocal DNSCache, `{ peers: [NetworkPeer.KUBE_DNS, NetworkPeer.cidr('169.254.20.10/32')] }`; on OpenShift,
   * `{ peers: [NetworkPeer.inNamespace('openshift-dns')], ports: [5353] }`.
   * @default - `dns` of ClusterSettings, or port 53 of NetworkPeer.KUBE_DNS
   */
  readonly dns?: NetworkRoute;

  /**
   * Further network routes of the pods, besides those that follow from their other props; without `ports`, to every port.
   * @default - none
   */
  readonly egress?: NetworkRoute[];
}

/** Validates the prop `isolation`. */
export function checkIsolation(problems: Problems, options: IsolationOptions | undefined): void {
  checkRoute(problems, 'isolation.dns', options?.dns);
  options?.egress?.forEach((route, i) => {
    checkRoute(problems, `isolation.egress[${String(i)}]`, route);
  });
}

/** Egress rules of isolated pods: `routes`, those of the options, and DNS unless there is nothing to connect to. */
export function egressOf(options: IsolationOptions, routes: NetworkRoute[]): kplus.k8s.NetworkPolicyEgressRule[] {
  // For Kubernetes, an empty list of peers or ports means all of them.
  const all = [...routes, ...(options.egress ?? [])].filter(
    (each) => each.peers?.length !== 0 && each.ports?.length !== 0,
  );
  if (all.length === 0) {
    return [];
  }
  // A store and an identity often need the same route.
  const rules = new Map(all.map((route) => egressRule(route, ['TCP'])).map((rule) => [JSON.stringify(rule), rule]));
  return [dnsRule(options.dns), ...rules.values()];
}

/** The rule that opens a route to the DNS servers. */
export function dnsRule({
  peers = [NetworkPeer.KUBE_DNS],
  ports = [53],
}: NetworkRoute = {}): kplus.k8s.NetworkPolicyEgressRule {
  // Answers that are too long for UDP come by TCP.
  return egressRule({ peers, ports }, ['UDP', 'TCP']);
}

/** Clients that a NetworkPolicy lets in at a TCP port. */
export interface IngressEdge {
  /** An empty list lets nobody in. Peers can be added until the synthesis. */
  readonly peers: NetworkPeer[];
  readonly port: number;
}

/** A NetworkPolicy for the pods with these labels. Without `egress`, it does not restrict where they connect to. */
export function networkPolicy(
  scope: Construct,
  id: string,
  name: string,
  labels: ObjectLabels,
  { ingress, egress }: { readonly ingress: IngressEdge[]; readonly egress?: kplus.k8s.NetworkPolicyEgressRule[] },
): void {
  new kplus.k8s.KubeNetworkPolicy(scope, id, {
    metadata: { name, labels: labels.all },
    spec: {
      podSelector: { matchLabels: labels.selector },
      policyTypes: egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'],
      // For Kubernetes, a rule without peers lets everybody in.
      ingress: Lazy.any({
        produce: () => unlessEmpty(ingress.filter(({ peers }) => peers.length > 0).map(ingressRule)),
      }) as kplus.k8s.NetworkPolicyIngressRule[],
      egress: unlessEmpty(egress ?? []),
    },
  });
}

/** The API server stores an empty list as none, and counts each server-side apply of it as a change. */
function unlessEmpty<T>(list: readonly T[]): T[] | undefined {
  return list.length === 0 ? undefined : [...list];
}

function ingressRule({ peers, port }: IngressEdge): kplus.k8s.NetworkPolicyIngressRule {
  return { from: peers.map((peer) => peer._rendered), ports: [portRule(port, 'TCP')] };
}

function egressRule({ peers, ports }: NetworkRoute, protocols: string[]): kplus.k8s.NetworkPolicyEgressRule {
  return {
    to: peers?.map((peer) => peer._rendered),
    ports: ports?.flatMap((port) => protocols.map((protocol) => portRule(port, protocol))),
  };
}

function portRule(port: number, protocol: string): kplus.k8s.NetworkPolicyPort {
  return { port: kplus.k8s.IntOrString.fromNumber(port), protocol };
}
