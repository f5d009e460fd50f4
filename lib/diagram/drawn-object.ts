import type { ApiObject } from 'cdk8s';

import { containersOf, type ManifestPod, podIn } from '../cluster/manifest';
import { makerOf, objectsOf } from '../kube/unique-name';

/** What a selector of Kubernetes has. */
export interface Selector {
  readonly matchLabels?: Record<string, string>;
}

/** A peer in a NetworkPolicy. */
export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

/** A rule of a NetworkPolicy. */
export interface PolicyRule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port?: number | string }[];
}

/** The spec of any object, as far as a diagram shows it. */
interface DrawnSpec {
  readonly egress?: readonly PolicyRule[];
  readonly hostnames?: readonly string[];
  readonly ingress?: readonly PolicyRule[];
  readonly podSelector?: Selector;
  readonly ports?: readonly { readonly port?: number; readonly targetPort?: number | string }[];
  readonly resources?: { readonly requests?: { readonly storage?: string } };
  readonly rules?: readonly { readonly host?: string }[];
  readonly schedule?: string;
  readonly selector?: Selector & Record<string, unknown>;
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

/** An object of the app, rendered. */
export interface DrawnObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly labels: Record<string, string>;
  readonly spec: DrawnSpec;
  /** All of the manifest but its metadata. */
  readonly fields: object;
  readonly pod: ManifestPod | undefined;
  /** What operators make of it. */
  readonly made: readonly { readonly kind: string; readonly name: string }[];
  /** Path of the construct that makes it together with other objects. */
  readonly group: string | undefined;
}

// A changed script changes the name, which is to be seen in the YAML, not here.
const DIGEST = /-[0-9a-f]{8}$/;

/** Renders objects. Groups are named by the paths of their constructs, below `scope` if they are. */
export function drawnObjects(objects: readonly ApiObject[], scope: string): DrawnObject[] {
  const makers = objects.map((object) => makerOf(object).node.path);
  return objects.map((object, i) => {
    const { metadata, ...fields } = object.toJson() as {
      readonly kind: string;
      readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
      readonly spec?: DrawnSpec;
    };
    const maker = makers[i] ?? '';
    return {
      kind: object.kind,
      name: metadata.name,
      namespace: object.metadata.namespace,
      labels: metadata.labels ?? {},
      spec: fields.spec ?? {},
      fields,
      pod: podIn(fields),
      made: objectsOf(object).slice(1),
      group: makers.filter((each) => each === maker).length === 1 ? undefined : maker.replace(`${scope}/`, ''),
    };
  });
}

/** The kind and the name of an object. */
export function titleOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind} ${['ConfigMap', 'Job'].includes(kind) ? name.replace(DIGEST, '') : name}`;
}

/** The lines of a node: the object, and what a reviewer asks of it first. */
export function linesOf(object: DrawnObject): string[] {
  const { kind, name, pod, spec } = object;
  const hosts = kind === 'Ingress' ? (spec.rules ?? []).flatMap(({ host }) => host ?? []) : (spec.hostnames ?? []);
  return [
    titleOf(object),
    ...(spec.schedule === undefined ? [] : [spec.schedule]),
    ...hosts,
    ...(kind === 'PersistentVolumeClaim' ? [spec.resources?.requests?.storage ?? ''] : []).filter(
      (each) => each !== '',
    ),
    ...(pod === undefined ? [] : containersOf(pod).map((each) => each.name)),
    ...(spec.volumeClaimTemplates ?? []).map((each) => `PersistentVolumeClaim ${each.metadata.name}-${name}-*`),
  ];
}
