import type { PodPart } from '../kube/pod/pod-part';
import type { Problems } from '../validation/problems';

import { type ArtifactLocation, ArtifactVisibility } from './artifact-store';
import type { ArtifactTransfers } from './artifact-transfers';

/** Access of clients to the object store: through the server, or directly. */
export enum ArtifactAccess {
  /** Clients upload and download through the server, and need no credentials of the store. The default. */
  PROXIED = 'proxied',

  /**
   * Clients connect to the store and need its credentials. Choose it for large models, for which the server would be the
   * bottleneck. The server still reads from the store, for its UI.
   */
  DIRECT = 'direct',
}

/** The artifact location of an object store. */
export function locationAt(
  uri: string,
  access: ArtifactAccess | undefined,
  transfers: ArtifactTransfers | undefined,
  part: PodPart,
): ArtifactLocation {
  return {
    destination: uri,
    defaultArtifactRoot: access === ArtifactAccess.DIRECT ? uri : undefined,
    visibility: ArtifactVisibility.CLUSTER,
    transfers,
    ...part,
  };
}

/** The sum of the parts of a store and of its identity. */
export function withIdentity(store: PodPart, identity: PodPart): PodPart {
  return {
    ...identity,
    envVariables: { ...identity.envVariables, ...store.envVariables },
    volumeMounts: [...(store.volumeMounts ?? []), ...(identity.volumeMounts ?? [])],
    routes: [...(store.routes ?? []), ...(identity.routes ?? [])],
  };
}

/** The URI of a folder in a store. */
export function folderUri(root: string, prefix: string | undefined): string {
  return prefix === undefined ? root : `${root}/${prefix}`;
}

/** Validates the folder of a store. */
export function checkPrefix(problems: Problems, prop: string, prefix: string | undefined): void {
  if (prefix !== undefined && !/^[^/\s]+(\/[^/\s]+)*$/.test(prefix)) {
    problems.add(prop, 'must be a folder without a slash at its ends', prefix);
  }
}
