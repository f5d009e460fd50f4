import { type Manifest, only } from './synth';

/** What a NetworkPolicy lets through, an edge a line: `in 5000/TCP from …`, `out 5432/TCP to …`. All else is dropped. */
export function edges(manifests: Manifest[], name: string): string[] {
  const { spec } = only(manifests, 'NetworkPolicy', name);
  return spec.policyTypes.flatMap((type: string) =>
    type === 'Ingress'
      ? (spec.ingress ?? []).flatMap((rule: Manifest) => lines('in', rule.ports, 'from', rule.from))
      : (spec.egress ?? []).flatMap((rule: Manifest) => lines('out', rule.ports, 'to', rule.to)),
  );
}

/** Which ways a policy closes, but for its edges. */
export function closed(manifests: Manifest[], name: string): string[] {
  return only(manifests, 'NetworkPolicy', name).spec.policyTypes;
}

// Kubernetes takes what is missing, and what is empty, for everything.
function lines(way: string, ports: Manifest[] = [], word = '', peers: Manifest[] = []): string[] {
  const all = ports.length === 0 ? ['every port'] : ports.map((each) => `${each.port}/${each.protocol}`);
  return (peers.length === 0 ? ['anybody'] : peers.map(shown)).map((peer) => `${way} ${all.join(' ')} ${word} ${peer}`);
}

function shown({ podSelector, namespaceSelector, ipBlock }: Manifest): string {
  if (ipBlock !== undefined) {
    return [ipBlock.cidr, ...(ipBlock.except ?? []).map((each: string) => `but ${each}`)].join(' ');
  }
  const pods = labels(podSelector) || 'every pod';
  return namespaceSelector === undefined ? pods : `${pods} of ${labels(namespaceSelector)}`;
}

function labels(selector: Manifest): string {
  return Object.entries(selector.matchLabels ?? {})
    .map(([key, value]) => `${key.replace(/^(app\.)?kubernetes\.io\//, '')}=${String(value)}`)
    .join(',');
}
