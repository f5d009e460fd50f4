import type { NetworkRoute } from '../kube/network/network-route';
import type { Problems } from '../validation/problems';

/** Who talks to the object store. */
export enum ArtifactAccess {
  /**
   * The server: clients upload to it and download from it, and need no credentials of the store. The default.
   */
  PROXIED = 'proxied',

  /**
   * Clients themselves, which then need credentials of the store. For large models, and where the server is no bottleneck
   * to be. The server still reads, for its UI.
   */
  DIRECT = 'direct',
}

/** The root of new experiments for an object store, as clients see it; undefined for the server's own proxy. */
export function rootFor(uri: string, access: ArtifactAccess | undefined): string | undefined {
  return access === ArtifactAccess.DIRECT ? uri : undefined;
}

/** What a folder of an object store must look like. */
export function checkPrefix(problems: Problems, prefix: string | undefined, prop = 'artifactRoot.prefix'): void {
  if (prefix !== undefined && !/^[^/\s]+(\/[^/\s]+)*$/.test(prefix)) {
    problems.add(prop, 'must be a folder without a slash at its ends', prefix);
  }
}

/** The way to a store, which is somewhere at a port unless the caller knows better. */
export function routeToStore(given: NetworkRoute | undefined, port = 443): NetworkRoute {
  return { ports: [port], ...given };
}
