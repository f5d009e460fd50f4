import { isIP } from 'node:net';

import { checkPort } from '../../validation/checks';
import { NetworkPeer } from './network-peer';
import type { Problems } from '../../validation/problems';

/** Destination of network connections, as a NetworkPolicy names it. Of a Service, it is the pods, not the Service. */
export interface NetworkRoute {
  /**
   * Peers that pods connect to.
   * @default - every address inside and outside the cluster
   */
  readonly peers?: NetworkPeer[];

  /**
   * TCP ports of the peers. Of a Service, these are the ports of the pods, not those of the Service.
   * @default - the port that follows from the prop, if it is known
   */
  readonly ports?: number[];
}

/** A route to a port at any address, unless the user gives other peers or ports. */
export function routeAt(port: number, given: NetworkRoute = {}): NetworkRoute {
  return { peers: given.peers, ports: given.ports ?? [port] };
}

/** The route to the service on the node that issues credentials to pods. */
export function metadataRoute(addresses: string[], ...ports: number[]): NetworkRoute {
  return {
    peers: addresses.map((address) => NetworkPeer.cidr(`${address}/${isIP(address) === 4 ? '32' : '128'}`)),
    ports,
  };
}

/** Validates a route. */
export function checkRoute(problems: Problems, prop: string, route: NetworkRoute | undefined): void {
  checkPeers(problems, `${prop}.peers`, route?.peers, 'Leave it out for any address.');
  if (route?.ports?.length === 0) {
    problems.say(`\`${problems.name(prop)}.ports\` must name at least one port, got none.`);
  }
  route?.ports?.forEach((port, i) => {
    checkPort(problems, `${prop}.ports[${String(i)}]`, port);
  });
}

/** Validates peers. With `hintIfEmpty`, an empty list is an error: for Kubernetes, it means every address. */
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
