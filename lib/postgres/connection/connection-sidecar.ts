import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../../kube/network/network-route';

/**
 * What runs in each pod that connects: a proxy to the database, which listens on the loopback address, or who keeps the
 * password in a file where it expires. Kubernetes 1.29 or later.
 */
export interface ConnectionSidecar {
  /**
   * Its container, complete. It needs the restart policy ALWAYS, which makes it start before all others and stop after them,
   * and a startup probe, which the others wait for.
   */
  readonly container: kplus.ContainerProps;

  /** All ways that the connection takes through the network: those of a proxy, instead of that to the connection's host. */
  readonly routes: NetworkRoute[];

  /**
   * Annotations that the ServiceAccount of these pods needs for it, as workload identities do.
   * @default - none
   */
  readonly serviceAccountAnnotations?: Record<string, string>;

  /**
   * The password that it keeps, for those who read it at each connection.
   * @default - none: it is a proxy, or the password lasts
   */
  readonly passwordFile?: PasswordFile;
}

/**
 * A file with a password that expires, which a sidecar replaces before it does.
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export interface PasswordFile {
  /** The volume that it is in, which the sidecar writes to, and who connects can read. */
  readonly volume: kplus.Volume;

  /** Its name there. Its mode must be 0600, and its owner the user of the pod: libpq does not read it otherwise. */
  readonly name: string;
}

/** What of a connection decides on the way to it. */
interface Way {
  readonly route: NetworkRoute;
  readonly sidecar?: ConnectionSidecar;
}

/** The proxies that a pod needs for its connections: the first of its init containers. */
export function sidecarsOf(...connections: (Way | undefined)[]): kplus.ContainerProps[] {
  return [...new Set(connections.flatMap((each) => each?.sidecar ?? []))].map(({ container }) => container);
}

/** The ways through the network that a pod takes for a connection. */
export function routesTo({ sidecar, route }: Way): NetworkRoute[] {
  return sidecar?.routes ?? [route];
}
