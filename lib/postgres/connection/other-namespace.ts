import { Chart } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';

import { NetworkPeer } from '../../kube/network/network-peer';
import type { NetworkRoute } from '../../kube/network/network-route';
import { text } from '../../kube/values/env-values';

import type { PostgresConnection } from './postgres-connection';

/** Service of a backend in the cluster. */
interface BackendService {
  readonly namespace: string;
  /** The clients of each of its network policies. */
  readonly clients: readonly NetworkPeer[][];
  readonly clientNamespaces: Set<string>;
}

/** By the host, which a connection that is made of another one keeps. */
const SERVICES = new WeakMap<kplus.EnvValue, BackendService>();

/** Where pods of a namespace find a database. */
export type PostgresAddress = Pick<PostgresConnection, 'host' | 'readHost' | 'route' | 'readRoute'>;

/** The host of a Service of the backend's chart. Clients of other namespaces are added to `clients`, the peers of its network policies. */
export function serviceHost(backend: IConstruct, name: string, ...clients: NetworkPeer[][]): kplus.EnvValue {
  const host = text(name);
  const { namespace } = Chart.of(backend);
  if (namespace !== undefined) {
    SERVICES.set(host, { namespace, clients, clientNamespaces: new Set([namespace]) });
  }
  return host;
}

/** The namespace of the Service that is the host, if the host comes from {@link serviceHost}. */
export function serviceNamespace(host: kplus.EnvValue): string | undefined {
  return SERVICES.get(host)?.namespace;
}

/** The address of the database for pods of the scope: a Service of another namespace needs its full name, and so do its pods. */
export function addressFor(scope: IConstruct, connection: PostgresConnection): PostgresAddress {
  const { host, readHost, route, readRoute } = connection;
  const service = SERVICES.get(host);
  if (service === undefined || service.namespace === Chart.of(scope).namespace) {
    return { host, readHost, route, readRoute };
  }
  const { namespace } = service;
  const fullName = ({ value }: kplus.EnvValue): kplus.EnvValue => text(`${String(value)}.${namespace}`);
  const routeTo = ({ peers, ports }: NetworkRoute): NetworkRoute => ({
    peers: peers?.map((peer) => peer._in(namespace)),
    ports,
  });
  return {
    host: fullName(host),
    readHost: readHost && fullName(readHost),
    route: routeTo(route),
    readRoute: readRoute && routeTo(readRoute),
  };
}

/** Lets pods of the scope's namespace, with the labels of clients, through the network policies of the database. */
export function letIn(scope: IConstruct, { host, clientLabels }: PostgresConnection): void {
  const { namespace } = Chart.of(scope);
  const service = SERVICES.get(host);
  if (service !== undefined && namespace !== undefined && !service.clientNamespaces.has(namespace)) {
    service.clientNamespaces.add(namespace);
    service.clients.forEach((peers) => peers.push(NetworkPeer.podsOf(namespace, clientLabels)));
  }
}
