import { isIP } from 'node:net';

import type * as kplus from 'cdk8s-plus-28';

import { NetworkPeer } from '../../kube/network/network-peer';
import type { NetworkRoute } from '../../kube/network/network-route';

import { POSTGRES_PORT } from './postgres-settings';

/** The way to a host and a port, completed with what the two tell: a port is a port, an address somebody. */
export function routeTo(host: kplus.EnvValue, port: kplus.EnvValue, given: NetworkRoute = {}): NetworkRoute {
  return { peers: given.peers ?? addressesIn(host), ports: given.ports ?? portsIn(port) };
}

// Whoever has a name may have any address, and another one tomorrow.
function addressesIn(host: kplus.EnvValue): NetworkPeer[] | undefined {
  const hosts = listIn(host);
  return hosts.length > 0 && hosts.every((each) => isIP(each) !== 0)
    ? hosts.map((each) => NetworkPeer.cidr(`${each}/${isIP(each) === 4 ? '32' : '128'}`))
    : undefined;
}

// A port in a Secret is not known at synth.
function portsIn(port: kplus.EnvValue): number[] {
  const ports = new Set(listIn(port).map(Number));
  return ports.size === 0 ? [POSTGRES_PORT] : [...ports];
}

function listIn({ value }: kplus.EnvValue): string[] {
  return typeof value === 'string' ? value.split(',') : [];
}
