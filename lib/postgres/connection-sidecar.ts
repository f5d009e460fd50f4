import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../kube/network-route';

/** A proxy to the database that runs in each pod that connects, and listens on its loopback address. Kubernetes 1.29 or later. */
export interface ConnectionSidecar {
  /**
   * Its container, complete. It needs the restart policy ALWAYS, which makes it start before all others and stop after them,
   * and a startup probe, which the others wait for.
   */
  readonly container: kplus.ContainerProps;

  /** The ways that it takes through the network, instead of that to the connection's host. */
  readonly routes: NetworkRoute[];

  /**
   * Annotations that the ServiceAccount of these pods needs for it, as workload identities do.
   * @default - none
   */
  readonly serviceAccountAnnotations?: Record<string, string>;
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
