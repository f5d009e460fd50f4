import type { Manifest } from './synth';

const INSTANCE = 'app.kubernetes.io/instance';
/** Fields of a pod that name another object, with its kind. */
const REFERENCES: Record<string, string> = {
  secretKeyRef: 'Secret',
  secret: 'Secret',
  configMap: 'ConfigMap',
  persistentVolumeClaim: 'PersistentVolumeClaim',
};

/** The objects of some manifests as a flowchart of Mermaid, with an edge for each name and each selector in them. */
export function pictureOf(manifests: Manifest[]): string {
  const claims = manifests.flatMap(({ metadata, spec }): Manifest[] =>
    (spec?.volumeClaimTemplates ?? []).map((each: Manifest) => ({
      kind: 'PersistentVolumeClaim',
      metadata: { name: `${each.metadata.name}-${metadata.name}-0`, labels: metadata.labels },
    })),
  );
  const objects = [...manifests, ...claims];
  const instances = [...new Set(objects.map(({ metadata }): string => metadata.labels[INSTANCE]))];
  const groups = instances.flatMap((instance) => [
    `  subgraph ${instance}`,
    ...objects.filter(({ metadata }) => metadata.labels[INSTANCE] === instance).map(nodeOf),
    '  end',
  ]);
  const edges = manifests
    .filter(({ spec }) => spec?.template !== undefined)
    .flatMap((workload) => [
      `  ${idsOf(objects.filter((each) => selects(each, workload)))} --> ${idOf(workload)}`,
      `  ${idOf(workload)} --> ${idsOf(objects.filter((each) => uses(workload, each)))}`,
    ]);
  return ['flowchart LR', ...groups, ...edges, ''].join('\n');
}

function titleOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name.replace(/-[0-9a-f]{8}$/, '')}`;
}

function idOf(object: Manifest): string {
  return titleOf(object).replaceAll(/[^A-Za-z0-9]/g, '_');
}

function idsOf(objects: Manifest[]): string {
  return objects.map(idOf).join(' & ');
}

function nodeOf(object: Manifest): string {
  const { initContainers = [], containers = [] } = object.spec?.template?.spec ?? {};
  const pod = [...initContainers, ...containers].map(({ name }) => `<br>${name}`).join('');
  return `    ${idOf(object)}["${titleOf(object)}${pod}"]`;
}

function selects({ kind, spec }: Manifest, { spec: { template } }: Manifest): boolean {
  const selector = kind === 'Service' ? spec.selector : (spec?.podSelector ?? spec?.selector)?.matchLabels;
  const isWorkload = spec?.template !== undefined;
  return (
    !isWorkload &&
    selector !== undefined &&
    Object.entries(selector).every(([label, value]) => template.metadata.labels[label] === value)
  );
}

function uses(workload: Manifest, { kind, metadata }: Manifest): boolean {
  const { name } = metadata;
  const pod = workload.spec.template.spec;
  const isOwnClaim: boolean = (workload.spec.volumeClaimTemplates ?? []).some(
    (each: Manifest) =>
      kind === 'PersistentVolumeClaim' && name === `${each.metadata.name}-${workload.metadata.name}-0`,
  );
  const isOwnAccount: boolean = kind === 'ServiceAccount' && pod.serviceAccountName === name;
  return isOwnClaim || isOwnAccount || mentions(pod, kind, name);
}

function mentions(part: Manifest, kind: string, name: string): boolean {
  if (typeof part !== 'object' || part === null) {
    return false;
  }
  if (kind === 'Service' && part.name === 'PGHOST' && part.value === name) {
    return true;
  }
  return Object.entries(part).some(([field, value]: [string, Manifest]) => {
    const named = REFERENCES[field] === kind ? (value?.name ?? value?.secretName ?? value?.claimName) : undefined;
    return named === name ? true : mentions(value, kind, name);
  });
}
