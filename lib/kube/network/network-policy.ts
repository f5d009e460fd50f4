import { Lazy } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../pod/labels';
import type { NetworkPeer } from './network-peer';
import type { NetworkRoute } from './network-route';

const DNS_PORT = 53;

/** Who may reach a port. */
export interface IngressEdge {
  /** Nobody, if the list is empty. It may grow until the synthesis. */
  readonly peers: NetworkPeer[];
  readonly port: number;
}

/** What passes a policy; everything else is dropped. */
export interface PolicyEdges {
  readonly ingress: IngressEdge[];
  /** Without it, the pods may reach everything. */
  readonly egress?: kplus.k8s.NetworkPolicyEgressRule[];
}

/** Lets only these edges through to and from the pods with these labels. */
export function networkPolicy(
  scope: Construct,
  id: string,
  name: string,
  labels: ObjectLabels,
  { ingress, egress }: PolicyEdges,
): void {
  new kplus.k8s.KubeNetworkPolicy(scope, id, {
    metadata: { name, labels: labels.all },
    spec: {
      podSelector: { matchLabels: labels.selector },
      policyTypes: egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'],
      ingress: Lazy.any({
        produce: () => ingress.filter(isOpen).map(ingressRule),
      }) as kplus.k8s.NetworkPolicyIngressRule[],
      egress,
    },
  });
}

/** The rule that lets packets out on a route; without ports, on all of them. */
export function egressRule({ peers, ports }: NetworkRoute): kplus.k8s.NetworkPolicyEgressRule {
  return { to: peers?.map((peer) => peer._rendered), ports: ports?.map((port) => portRule(port, 'TCP')) };
}

/** The rule that lets names be resolved on a route. */
export function dnsRule({ peers, ports = [DNS_PORT] }: NetworkRoute): kplus.k8s.NetworkPolicyEgressRule {
  return {
    to: peers?.map((peer) => peer._rendered),
    // Answers that are too long for UDP come by TCP.
    ports: ports.flatMap((port) => [portRule(port, 'UDP'), portRule(port, 'TCP')]),
  };
}

// Kubernetes takes a rule without peers for one that lets everybody in.
function isOpen({ peers }: IngressEdge): boolean {
  return peers.length > 0;
}

function ingressRule({ peers, port }: IngressEdge): kplus.k8s.NetworkPolicyIngressRule {
  return { from: peers.map((peer) => peer._rendered), ports: [portRule(port, 'TCP')] };
}

function portRule(port: number, protocol: string): kplus.k8s.NetworkPolicyPort {
  return { port: kplus.k8s.IntOrString.fromNumber(port), protocol };
}
