import { checkAnnotations } from '../../kube/values/metadata';
import { checkHosts, checkPath } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** Options that an Ingress and an HTTPRoute share. */
export interface EndpointOptions {
  /** Host names of the server. They are added to its allowed hosts and CORS origins. */
  readonly hosts: string[];

  /**
   * Path prefix that is routed to the server.
   * @default - `staticPrefix` of the server, or '/'
   */
  readonly path?: string;

  /**
   * Annotations of the object. On an Ingress, they override those of `controller`.
   * @default - none
   */
  readonly annotations?: Record<string, string>;
}

/** Hosts of an Ingress or HTTPRoute. */
export interface Endpoint {
  readonly hosts: string[];
  readonly https: boolean;
}

/** Origins of the hosts, such as `https://mlflow.example.com`. */
export function originsOf(endpoints: readonly Endpoint[]): string[] {
  return endpoints.flatMap(({ hosts, https }) => hosts.map((host) => `${https ? 'https' : 'http'}://${host}`));
}

/** The inputs of the Host headers and origins that the server accepts. */
export interface ServerHosts {
  /** Name of the Service. */
  readonly id: string;
  readonly namespace?: string;
  readonly endpoints: readonly Endpoint[];
  readonly allowedHosts?: string[];
  readonly corsAllowedOrigins?: string[];
}

// What MLflow's default list has, which ours replaces (mlflow.server.security_utils), and RFC 6598: pod addresses on some clouds.
const LOCAL = ['localhost', '127.0.0.1', '0.0.0.0', '[::1]'];
const IPV4_RANGES = [
  '10',
  '192.168',
  ...['172.1[6-9]', '172.2[0-9]', '172.3[01]'],
  ...['100.6[4-9]', '100.[7-9][0-9]', '100.1[01][0-9]', '100.12[0-7]'],
];
// `10.*` would accept `10.evil.example`. No name ends in a number: browsers take such a host for an address, or for an error.
const LAST_NUMBERS = ['[0-9]', '[0-9][0-9]', '[0-9][0-9][0-9]'];
const POD_ADDRESSES = [
  ...IPV4_RANGES.flatMap((range) => LAST_NUMBERS.map((last) => `${range}.*.${last}`)),
  // Unique local addresses, and global ones, which pods have, too. No name stands in brackets.
  '[[]f[cd][0-9a-f][0-9a-f]:*]',
  '[[][23][0-9a-f][0-9a-f][0-9a-f]:*]',
].flatMap((address) => [address, `${address}:*`]);

/**
 * The Host headers that the server accepts: all of its names.
 *
 * MLflow compares the whole header, including the port, so the list has each name alone and with any port. `name*` would
 * also accept `name.evil.example`.
 * @see https://mlflow.org/docs/latest/self-hosting/security/network/
 */
export function allowedHosts(server: ServerHosts): string[] {
  // Kubernetes expands the variable where the chart has no namespace.
  const { id, namespace = '$(POD_NAMESPACE)' } = server;
  const service = [id, `${id}.${namespace}`, `${id}.${namespace}.svc`, `${id}.${namespace}.svc.cluster.local`];
  const names = [...service, ...server.endpoints.flatMap(({ hosts }) => hosts), ...LOCAL];
  return [...new Set([...names.flatMap(withAnyPort), ...POD_ADDRESSES, ...(server.allowedHosts ?? [])])];
}

/** The origins that may send state-changing requests: those of the Ingress and HTTPRoute, and your own. */
export function corsAllowedOrigins({ endpoints, corsAllowedOrigins: own = [] }: ServerHosts): string[] {
  return [...new Set([...originsOf(endpoints), ...own])];
}

/** Validates the options that are common to an Ingress and an HTTPRoute. */
export function checkEndpoint(problems: Problems, prop: string, options: EndpointOptions): void {
  checkHosts(problems, `${prop}.hosts`, options.hosts);
  checkPath(problems, `${prop}.path`, options.path);
  checkAnnotations(problems, `${prop}.annotations`, options.annotations);
}

function withAnyPort(name: string): string[] {
  // In a pattern, `[` opens a character class.
  return [name, `${name.replace('[', '[[]')}:*`];
}
