import { isIP } from 'node:net';

import { Chart } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';

import { serviceNamespace } from './other-namespace';
import type { PostgresConnection } from './postgres-connection';

/** The host that pods reach themselves by, which tells nothing about a server behind a proxy. */
const LOOPBACK = /^(localhost|127\..*|::1|\[::1\]|\/.*)$/;

/** Where a Secret or a ConfigMap holds a value. */
interface ValueSource {
  readonly secretKeyRef?: { readonly name: string; readonly key: string };
  readonly configMapKeyRef?: { readonly name: string; readonly key: string };
}

/** What identifies the server of a connection: each connection to it, and each name that pods know it by. */
export type ServerKey = PostgresConnection | string;

/** The keys of the server that pods of the scope connect to. Connections with a key in common go to one server. */
export function serverKeys(connection: PostgresConnection, scope: IConstruct): ServerKey[] {
  return [connection, connection._origin ?? connection, ...serverNames(connection, scope)];
}

/** Whether two connections of pods of the scope go to one database for sure. */
export function isSameDatabase(one: PostgresConnection, other: PostgresConnection, scope: IConstruct): boolean {
  const keys = new Set(serverKeys(one, scope));
  const isSameServer = serverKeys(other, scope).some((each) => keys.has(each));
  const name: unknown = one.database.value;
  return one === other || (isSameServer && typeof name === 'string' && name === other.database.value);
}

/** The name of the server for errors, if anything tells it. */
export function serverName(keys: Iterable<ServerKey>): string | undefined {
  return [...keys].find((key) => typeof key === 'string');
}

/**
 * The names that pods of the scope know the server of a connection by. Connections with a name in common go to one server. None if
 * nothing tells which server it is.
 */
function serverNames(connection: PostgresConnection, scope: IConstruct): string[] {
  const { server, host, port } = connection;
  const chart = Chart.of(scope);
  const namespace = serviceNamespace(host) ?? chart.namespace;
  const named = server === undefined ? [] : [server];
  if (typeof host.value !== 'string') {
    const source = sourceOf(host);
    return source === undefined ? named : [...named, inNamespace(source, namespace)];
  }
  const ports = typeof port.value === 'string' ? port.value.split(',') : [sourceOf(port) ?? ''];
  const addresses = host.value.split(',').flatMap((each, i) => {
    const name = normalized(each, namespace);
    const address = `${name}:${ports[i] ?? ports[0] ?? ''}`;
    if (LOOPBACK.test(name)) {
      return [];
    }
    // Where the namespace is not known, a short name is the same server in one chart for sure.
    const isShort = namespace === undefined && /^[^.:]+$/.test(name) && !each.endsWith('.');
    return isShort ? [...(server === undefined ? [address] : []), `${address} of ${chart.node.path}`] : [address];
  });
  return [...named, ...addresses];
}

/** A host as every pod of the cluster spells it: `<service>.<namespace>` of a Service. */
function normalized(host: string, namespace: string | undefined): string {
  if (isIP(host) === 6) {
    return new URL(`http://[${host}]`).hostname;
  }
  const name = host.toLowerCase().replace(/\.$/, '');
  const isShort = /^[^.]+$/.test(host) && isIP(host) === 0 && !LOOPBACK.test(name);
  return isShort && namespace !== undefined
    ? `${name}.${namespace}`
    : name.replace(/^([^.]+(?:\.[^.]+)+)\.svc(\..*)?$/, '$1');
}

function sourceOf({ valueFrom }: kplus.EnvValue): string | undefined {
  const { secretKeyRef, configMapKeyRef } = (valueFrom ?? {}) as ValueSource;
  const [kind, reference] = secretKeyRef === undefined ? ['ConfigMap', configMapKeyRef] : ['Secret', secretKeyRef];
  return reference && `the key ${reference.key} of the ${kind} ${reference.name}`;
}

function inNamespace(source: string, namespace: string | undefined): string {
  return namespace === undefined ? source : `${source} in ${namespace}`;
}
