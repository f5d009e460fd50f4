import { checkPort } from '../../validation/checks';
import { NetworkPeer } from './network-peer';
import type { Problems } from '../../validation/problems';

/** A way through the network, as a NetworkPolicy lets packets pass: behind a Service, at the pods. */
export interface NetworkRoute {
  /**
   * Who is at its end.
   * @default - anybody: every address inside and outside the cluster
   */
  readonly peers?: NetworkPeer[];

  /**
   * TCP ports that they listen on. Behind a Service, these are the ports of the pods, not the Service's own.
   * @default - the port of what is reached, as far as that is known
   */
  readonly ports?: number[];
}

/** The way to what hands out credentials to a pod, on its own node. */
export function metadataRoute(addresses: string[], ...ports: number[]): NetworkRoute {
  return { peers: addresses.map((address) => NetworkPeer.cidr(`${address}/32`)), ports };
}

/** What a route must look like. */
export function checkRoute(problems: Problems, prop: string, route: NetworkRoute | undefined): void {
  checkPeers(problems, `${prop}.peers`, route?.peers, 'Leave it out for any address.');
  if (route?.ports?.length === 0) {
    problems.say(`\`${problems.name(prop)}.ports\` must name at least one port, got none.`);
  }
  route?.ports?.forEach((port, i) => {
    checkPort(problems, `${prop}.ports[${String(i)}]`, port);
  });
}

/** What peers must look like. Kubernetes takes an empty list for everybody, so that one needs another way out. */
export function checkPeers(
  problems: Problems,
  prop: string,
  peers: NetworkPeer[] | undefined,
  hintIfEmpty?: string,
): void {
  if (peers?.length === 0 && hintIfEmpty !== undefined) {
    problems.say(`\`${problems.name(prop)}\` must name at least one peer, got none.`, hintIfEmpty);
  }
  peers?.forEach((peer, i) => {
    peer._check(problems, `${prop}[${String(i)}]`);
  });
}
