import { containersOf, type ManifestContainer } from '../cluster/manifest';
import { referencesIn } from '../kube/same-namespace';

import { type DrawnObject, type Peer, type PolicyRule, titleOf } from './drawn-object';
import type { Flowchart } from './mermaid';

/** Draws the edges of objects, whose nodes are in `ids`. */
export class DiagramEdges {
  private readonly elsewhere = new Map<string, string>();

  public constructor(
    private readonly chart: Flowchart,
    private readonly objects: readonly DrawnObject[],
    private readonly ids: ReadonlyMap<DrawnObject, string>,
  ) {}

  public draw(): void {
    for (const object of this.objects) {
      if (object.kind === 'NetworkPolicy') {
        this.drawPolicy(object);
      }
      const id = this.ids.get(object);
      if (id !== undefined) {
        this.drawSelected(object, id);
        this.drawNamed(object, id);
        this.drawConnections(object, id);
        this.drawReferences(object, id);
      }
    }
  }

  /** From a Service to its pods, and from a monitor to the Services or pods that it scrapes. */
  private drawSelected(object: DrawnObject, id: string): void {
    const { kind, spec } = object;
    const labels =
      kind === 'Service' ? (spec.selector as Record<string, string> | undefined) : spec.selector?.matchLabels;
    if (kind === 'Service' || kind === 'PodMonitor') {
      const ports = (spec.ports ?? []).map(({ port, targetPort }) => String(targetPort ?? port ?? ''));
      this.podsWith(labels, object.namespace).forEach((pods) => {
        this.chart.edge(id, '-->', pods, [...new Set(ports)].join(', '));
      });
    } else if (kind === 'ServiceMonitor') {
      this.objects
        .filter((each) => each.kind === 'Service' && hasAll(each.labels, labels))
        .forEach((each) => {
          this.chart.edge(id, '-->', this.ids.get(each) ?? '');
        });
    }
  }

  /** To the objects that are named by kind, as routes and operators' resources name them. */
  private drawNamed(object: DrawnObject, id: string): void {
    for (const { field, kind, name } of namedIn(object.fields)) {
      const other = this.find(kind, name, object.namespace);
      // Requests come from the gateway of a route.
      const [from, to] = field === 'parentRefs' ? [other, id] : [id, other];
      this.chart.edge(from, '-->', to);
    }
  }

  /** To databases, and to stores that have a URI. */
  private drawConnections({ pod, namespace }: DrawnObject, id: string): void {
    for (const container of pod === undefined ? [] : containersOf(pod)) {
      const host = valueOf(container, 'PGHOST');
      if (host !== undefined) {
        const port = valueOf(container, 'PGPORT') ?? '';
        host.split(',').forEach((each, i) => {
          this.chart.edge(id, '-->', this.hostOf(each, namespace, id), port.split(',')[i] ?? port);
        });
      }
      for (const uri of urisOf(container)) {
        this.chart.edge(id, '-->', this.elsewhereOf(uri));
      }
    }
  }

  private drawReferences(object: DrawnObject, id: string): void {
    const makesSecrets = object.made.map(({ name }) => name);
    for (const { kind, name } of referencesIn(object.fields)) {
      if ((kind === 'Secret' && !makesSecrets.includes(name)) || kind === 'PersistentVolumeClaim') {
        this.chart.edge(id, '-.->', this.find(kind, name, object.namespace));
      }
    }
  }

  private drawPolicy({ namespace, spec }: DrawnObject): void {
    for (const id of this.podsWith(spec.podSelector?.matchLabels ?? {}, namespace)) {
      for (const rule of spec.ingress ?? []) {
        this.peersOf(rule.from, namespace).forEach((peer) => {
          this.chart.edge(peer, '==>', id, portsOf(rule));
        });
      }
      for (const rule of spec.egress ?? []) {
        this.peersOf(rule.to, namespace).forEach((peer) => {
          this.chart.edge(id, '==>', peer, portsOf(rule));
        });
      }
    }
  }

  /** Pods of the diagram that a peer selects, or else the peer in words. For Kubernetes, no peers are everybody. */
  private peersOf(peers: readonly Peer[] = [], namespace: string | undefined): string[] {
    if (peers.length === 0) {
      return [this.elsewhereOf('any address')];
    }
    return peers.flatMap(({ ipBlock, podSelector, namespaceSelector }) => {
      if (ipBlock !== undefined) {
        return [this.elsewhereOf([ipBlock.cidr, ...(ipBlock.except ?? []).map((each) => `except ${each}`)].join(' '))];
      }
      const labels = podSelector?.matchLabels ?? {};
      const of = namespaceSelector === undefined ? namespace : Object.values(namespaceSelector.matchLabels ?? {})[0];
      const pods = Object.keys(labels).length === 0 ? [] : this.podsWith(labels, of);
      const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
      const where = namespaceSelector === undefined ? '' : ` in ${of ?? 'any namespace'}`;
      return pods.length > 0
        ? pods
        : [
            this.elsewhereOf(
              `${words.length === 0 ? 'every pod' : 'pods'}${where}${words.length === 0 ? '' : ': '}${words.join(', ')}`,
            ),
          ];
    });
  }

  private podsWith(labels: Record<string, string> | undefined, namespace: string | undefined): string[] {
    return this.objects
      .filter((each) => each.namespace === namespace && hasAll(each.pod?.metadata?.labels, labels))
      .flatMap((each) => this.ids.get(each) ?? []);
  }

  private find(kind: string, name: string, namespace: string | undefined): string {
    const object = this.objects.find(
      (each) =>
        each.namespace === namespace &&
        [each, ...each.made].some((made) => made.kind === kind && made.name === name) &&
        this.ids.has(each),
    );
    return (object && this.ids.get(object)) ?? this.elsewhereOf(titleOf({ kind, name }));
  }

  /** A Service of the diagram, the proxy in the pod itself, or a host elsewhere. */
  private hostOf(host: string, namespace: string | undefined, pod: string): string {
    if (/^(localhost|127\.|::1$)/.test(host)) {
      return this.elsewhereOf(`database behind the proxy of ${pod.replaceAll('_', ' ')}`);
    }
    const [name = '', inNamespace = namespace] = host.replace(/\.svc(\..*)?$/, '').split('.');
    const isService = this.objects.some(
      (each) =>
        each.namespace === inNamespace &&
        [each, ...each.made].some((made) => made.kind === 'Service' && made.name === name),
    );
    return isService ? this.find('Service', name, inNamespace) : this.elsewhereOf(host);
  }

  private elsewhereOf(text: string): string {
    const id = this.elsewhere.get(text) ?? this.chart.node([text], 'elsewhere');
    this.elsewhere.set(text, id);
    return id;
  }
}

function hasAll(labels: Record<string, string> | undefined, selected: Record<string, string> | undefined): boolean {
  return labels !== undefined && selected !== undefined && Object.entries(selected).every(([k, v]) => labels[k] === v);
}

function portsOf({ ports = [] }: PolicyRule): string {
  return [...new Set(ports.map(({ port }) => String(port ?? 'any port')))].join(', ');
}

function valueOf({ env = [] }: ManifestContainer, name: string): string | undefined {
  return env.find((each) => each.name === name)?.value;
}

/** URIs of stores, without a login in them. Those with http are more often addresses of the server itself. */
function urisOf({ args = [], env = [] }: ManifestContainer): string[] {
  const values = [...args, ...env.flatMap(({ value }) => value ?? [])];
  return values.flatMap((value) => {
    const uri = /^(?:--[\w-]+=)?(?!https?:)([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#\s]*@)?([^/?#@,\s]+)/.exec(value);
    return uri === null ? [] : [`${uri[1] ?? ''}${uri[2] ?? ''}`];
  });
}

/** Objects that fields name by kind, and those whose kind follows from the field. */
function namedIn(value: unknown, field = ''): { field: string; kind: string; name: string }[] {
  if (Array.isArray(value)) {
    return value.flatMap((each) => namedIn(each, field));
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const kinds: Record<string, string> = {
    backendRefs: 'Service',
    service: 'Service',
    cluster: 'Cluster',
    parentRefs: 'Gateway',
  };
  const { kind = kinds[field], name } = value as { readonly kind?: unknown; readonly name?: unknown };
  const inside = Object.entries(value).flatMap(([key, each]) => namedIn(each, key));
  return typeof kind === 'string' && typeof name === 'string' ? [{ field, kind, name }, ...inside] : inside;
}
