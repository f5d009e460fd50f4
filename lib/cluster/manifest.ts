/** An environment variable in a manifest. */
export interface ManifestVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

/** A container in a manifest, as far as the cluster's settings touch it. */
export interface ManifestContainer {
  name: string;
  image?: string;
  imagePullPolicy?: string;
  command?: string[];
  args?: string[];
  env?: ManifestVariable[];
  resources?: unknown;
  securityContext?: Record<string, unknown>;
  volumeMounts?: unknown[];
}

/** The spec of a pod in a manifest, as far as the cluster's settings touch it. */
export interface ManifestPodSpec {
  containers: ManifestContainer[];
  enableServiceLinks?: boolean;
  imagePullSecrets?: unknown[];
  initContainers?: ManifestContainer[];
  nodeSelector?: Record<string, string>;
  priorityClassName?: string;
  securityContext?: Record<string, unknown>;
  tolerations?: unknown[];
  volumes?: unknown[];
}

/** A pod, or the template of one, in a manifest. */
export interface ManifestPod {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: ManifestPodSpec;
}

/** The manifest of any object. */
export interface Manifest {
  readonly kind: string;
  spec?: object;
}

/** The pod that a manifest holds: a Pod, or the template of a workload, also of one that is not Kubernetes' own. */
export function podIn(manifest: Manifest): ManifestPod | undefined {
  const { spec } = manifest as {
    spec?: { template?: ManifestPod; jobTemplate?: { spec?: { template?: ManifestPod } } };
  };
  const pods = [manifest.kind === 'Pod' ? (manifest as Partial<ManifestPod>) : undefined, spec?.template];
  return [...pods, spec?.jobTemplate?.spec?.template].find((pod): pod is ManifestPod =>
    Array.isArray(pod?.spec?.containers),
  );
}

/** All containers of a pod, in the order in which they start. */
export function containersOf({ spec }: ManifestPod): ManifestContainer[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** Adds variables to a container. Those that it has remain. */
export function addVariables(container: ManifestContainer, variables: readonly ManifestVariable[]): void {
  const names = new Set(container.env?.map(({ name }) => name));
  const added = variables.filter(({ name }) => !names.has(name));
  if (added.length > 0) {
    // Kubernetes expands `$(NAME)` only of variables that come before.
    container.env = [...added, ...(container.env ?? [])];
  }
}

/** Generated types render their fields in the order of the alphabet. */
export function sortFields(pod: ManifestPod): void {
  const { labels, annotations, ...metadata } = pod.metadata ?? {};
  pod.metadata = sorted({
    ...metadata,
    annotations: annotations && sorted(annotations),
    labels: labels && sorted(labels),
  });
  pod.spec = sorted(pod.spec);
  pod.spec.containers = pod.spec.containers.map(sorted);
  pod.spec.initContainers &&= pod.spec.initContainers.map(sorted);
}

function sorted<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) as T;
}
