import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/labels';

/** Lets only pods with one of these sets of labels reach the port; everything else is dropped. */
export function databasePolicy(
  scope: Construct,
  name: string,
  labels: ObjectLabels,
  port: number,
  clients: Record<string, string>[],
): void {
  new kplus.k8s.KubeNetworkPolicy(scope, 'network-policy', {
    metadata: { name, labels: labels.all },
    spec: {
      podSelector: { matchLabels: labels.selector },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: clients.map((matchLabels) => ({ podSelector: { matchLabels } })),
          ports: [{ port: kplus.k8s.IntOrString.fromNumber(port), protocol: 'TCP' }],
        },
      ],
    },
  });
}
