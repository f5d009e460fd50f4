import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';

import { containersOf, type Manifest, type ManifestPod, podIn } from '../../cluster/manifest';
import { referencesIn } from '../../kube/same-namespace';
import { InputError } from '../command';
import { readInput } from '../input';

/** An object of the manifests that are looked at. */
export interface Wanted {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace: string;
  readonly manifest: Manifest;
}

/** Something that a pod needs and the manifests do not make. */
export interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** Reads manifests, of files or of all YAML in `dist/`. `namespace` is that of objects which name none. */
export function readManifests(files: readonly string[], namespace: string): Wanted[] {
  return (files.length > 0 ? files : filesIn('dist')).flatMap((file) =>
    parse(file).map((manifest) => {
      const { apiVersion, metadata } = manifest as unknown as {
        apiVersion: string;
        metadata: { name: string; namespace?: string };
      };
      return {
        manifest,
        kind: manifest.kind,
        apiVersion,
        name: metadata.name,
        namespace: metadata.namespace ?? namespace,
      };
    }),
  );
}

/** How an object is called in what is printed. */
export function shown({ kind, name, namespace }: Reference): string {
  return `${kind} ${namespace}/${name}`;
}

/** The pods that the objects make, each as a Pod that can be tried by itself. */
export function podsOf(objects: readonly Wanted[]): { readonly of: Wanted; readonly pod: object }[] {
  return objects.flatMap((of) => {
    const template = podIn(of.manifest);
    if (template === undefined) {
      return [];
    }
    const { labels, annotations } = template.metadata ?? {};
    const metadata = { generateName: `${of.name}-`, namespace: of.namespace, labels, annotations };
    const { volumeClaimTemplates = [] } = (of.manifest.spec ?? {}) as ClaimTemplates;
    // The controller of a StatefulSet adds its claims.
    const claims = volumeClaimTemplates.map((claim) => ({
      name: claim.metadata.name,
      persistentVolumeClaim: { claimName: `${claim.metadata.name}-${of.name}-0` },
    }));
    const volumes = [...(template.spec.volumes ?? []), ...claims];
    // Its own ServiceAccount may not be there yet.
    const spec = { ...template.spec, volumes, serviceAccountName: 'default' };
    return [{ of, pod: { apiVersion: 'v1', kind: 'Pod', metadata, spec } }];
  });
}

/** Whether a pod has a sidecar of Kubernetes' own kind. */
export function hasSidecar({ manifest }: Wanted): boolean {
  const containers: readonly object[] = containersOf(podIn(manifest) ?? NO_POD);
  return containers.some((each) => 'restartPolicy' in each);
}

const NO_POD: ManifestPod = { spec: { containers: [] } };

/** Secrets, ConfigMaps, claims and ServiceAccounts that pods need and no object of the manifests makes. */
export function missingReferences(objects: readonly Wanted[]): Reference[] {
  const made = new Set(objects.flatMap(madeOf).map(shown));
  const needed = objects
    .filter(({ manifest }) => podIn(manifest) !== undefined)
    .flatMap(({ namespace, manifest }) => referencesIn(podIn(manifest)?.spec).map((each) => ({ ...each, namespace })))
    .filter((each) => !made.has(shown(each)));
  return [...new Map(needed.map((each) => [shown(each), each])).values()];
}

/** The claims of volumes, with their storage class if they name one. */
export function claimsOf(objects: readonly Wanted[]): { readonly of: Wanted; readonly storageClass?: string }[] {
  return objects.flatMap((of) => {
    const spec = (of.manifest.spec ?? {}) as ClaimSpec & ClaimTemplates;
    const claims =
      of.kind === 'PersistentVolumeClaim' ? [spec] : (spec.volumeClaimTemplates ?? []).map((each) => each.spec);
    // A claim of a volume that exists names it, and no class.
    return claims
      .filter(({ volumeName }) => volumeName === undefined)
      .map(({ storageClassName }) => ({ of, storageClass: storageClassName }))
      .filter(({ storageClass }) => storageClass !== '');
  });
}

interface ClaimTemplates {
  readonly volumeClaimTemplates?: { readonly metadata: { readonly name: string }; readonly spec: ClaimSpec }[];
}

interface ClaimSpec {
  readonly storageClassName?: string;
  readonly volumeName?: string;
}

/** An object, and what operators make of it. */
function madeOf({ kind, name, namespace, manifest }: Wanted): Reference[] {
  const { secretName, target } = (manifest.spec ?? {}) as { secretName?: string; target?: { name?: string } };
  const secrets = {
    ExternalSecret: [target?.name ?? name],
    SealedSecret: [name],
    Certificate: secretName === undefined ? [] : [secretName],
    Cluster: ['app', 'ca', 'replication', 'server', 'superuser'].map((suffix) => `${name}-${suffix}`),
  }[kind];
  return [{ kind, name, namespace }, ...(secrets ?? []).map((each) => ({ kind: 'Secret', name: each, namespace }))];
}

function filesIn(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    throw new InputError(`There is no folder ${folder} here: run the app first, or name the files.`);
  }
  const files = names.filter((name) => /\.ya?ml$/.test(name)).sort();
  if (files.length === 0) {
    throw new InputError(`${folder} has no YAML: run the app first, or name the files.`);
  }
  return files.map((name) => join(folder, name));
}

function parse(file: string): Manifest[] {
  return parseAllDocuments(readInput(file)).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      throw new InputError(`${file}: is no YAML: ${error.message}`);
    }
    const value = document.toJS() as (Manifest & { metadata?: { name?: string } }) | null;
    if (value === null) {
      return [];
    }
    if (typeof value.kind !== 'string' || typeof value.metadata?.name !== 'string') {
      throw new InputError(`${file}: has a document that is no object of Kubernetes (kind, metadata.name).`);
    }
    return [value];
  });
}
