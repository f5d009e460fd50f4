import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/labels';

/** Lets only pods with one of these sets of labels reach the port, and everybody that of the metrics, if there is one. */
export function databasePolicy(
  scope: Construct,
  name: string,
  labels: ObjectLabels,
  port: number,
  clients: Record<string, string>[],
  metricsPort?: number,
): void {
  new kplus.k8s.KubeNetworkPolicy(scope, 'network-policy', {
    metadata: { name, labels: labels.all },
    spec: {
      podSelector: { matchLabels: labels.selector },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: clients.map((matchLabels) => ({ podSelector: { matchLabels } })),
          ports: [tcp(port)],
        },
        ...(metricsPort === undefined ? [] : [{ ports: [tcp(metricsPort)] }]),
      ],
    },
  });
}

function tcp(port: number): kplus.k8s.NetworkPolicyPort {
  return { port: kplus.k8s.IntOrString.fromNumber(port), protocol: 'TCP' };
}
