import type { HttpRouteOptions } from './http-route';
import type { IngressOptions } from './ingress';

/** Hosts by which the server is reached from outside. */
export interface Endpoint {
  readonly hosts: string[];
  readonly https: boolean;
}

interface EndpointsInput {
  readonly ingress?: IngressOptions;
  readonly httpRoute?: HttpRouteOptions;
}

/** The ways in that a server has, by its props. */
export function endpointsOf({ ingress, httpRoute }: EndpointsInput): Endpoint[] {
  return [
    ...(ingress === undefined ? [] : [{ hosts: ingress.hosts, https: ingress.tlsSecretName !== undefined }]),
    ...(httpRoute === undefined ? [] : [{ hosts: httpRoute.hosts, https: httpRoute.https ?? true }]),
  ];
}

/** What decides which Host headers and origins the server accepts. */
export interface ServerHosts {
  /** Name of the Service. */
  readonly id: string;
  readonly namespace?: string;
  readonly endpoints: readonly Endpoint[];
  readonly allowedHosts?: string[];
  readonly corsAllowedOrigins?: string[];
}

// MLflow's own default list, which a list of ours replaces (mlflow.server.security_utils), with classes for the ranges.
const LOCAL = ['localhost', '127.0.0.1', '0.0.0.0', '[::1]'];
const PRIVATE_RANGES = ['10.*', '192.168.*', '172.1[6-9].*', '172.2[0-9].*', '172.3[01].*', '[[]f[cd]*'];
// RFC 6598: the pod addresses of some clouds, which MLflow leaves out.
const CARRIER_GRADE_NAT = ['100.6[4-9].*', '100.[7-9][0-9].*', '100.1[01][0-9].*', '100.12[0-7].*'];

/**
 * The Host headers that the server accepts: every name by which it can be reached.
 *
 * MLflow compares the header as it is, port included, so each name is in the list bare and with any port. Never `name*`:
 * that would let `name.evil.example` in.
 * @see https://mlflow.org/docs/latest/self-hosting/security/network/
 */
export function allowedHosts(server: ServerHosts): string[] {
  // Where the chart names no namespace, Kubernetes fills in that of the pod.
  const { id, namespace = '$(POD_NAMESPACE)' } = server;
  const service = [id, `${id}.${namespace}`, `${id}.${namespace}.svc`, `${id}.${namespace}.svc.cluster.local`];
  const names = [...service, ...server.endpoints.flatMap(({ hosts }) => hosts), ...LOCAL];
  return [
    ...new Set([
      ...names.flatMap(withAnyPort),
      ...PRIVATE_RANGES,
      ...CARRIER_GRADE_NAT,
      ...(server.allowedHosts ?? []),
    ]),
  ];
}

/** The origins from which a browser may change something: those of the ways in from outside, and the caller's. */
export function corsAllowedOrigins(server: ServerHosts): string[] {
  const origins = server.endpoints.flatMap(({ hosts, https }) =>
    hosts.map((host) => `${https ? 'https' : 'http'}://${host}`),
  );
  return [...new Set([...origins, ...(server.corsAllowedOrigins ?? [])])];
}

function withAnyPort(name: string): string[] {
  // In a pattern, `[` opens a class of characters.
  return [name, `${name.replace('[', '[[]')}:*`];
}
