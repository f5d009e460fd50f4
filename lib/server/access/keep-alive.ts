import type { HttpRouteOptions } from './http-route';
import type { IngressOptions } from './ingress';

/** Proxies written in Go, such as Traefik and oauth2-proxy, close an idle connection after 90 s (net/http.DefaultTransport). */
const GO_IDLE = 90;

/** Envoy, of which most Gateways are made, closes an idle connection after an hour (`idle_timeout`): the longest that is known. */
const ENVOY_IDLE = 3600;

/** The server must be the later one to close, also by the clock of a busy node. */
const MARGIN = 15;

/**
 * Seconds after which the server closes an idle connection: later than all that stand before it, since a request that is sent
 * just then is lost, and a proxy answers HTTP 502.
 */
export function keepAliveSeconds(
  server: { readonly ingress?: IngressOptions; readonly httpRoute?: HttpRouteOptions },
  isProxied: boolean,
): number {
  const { ingress, httpRoute } = server;
  const endpoints = [
    ...(ingress === undefined ? [] : [ingress.controller?._idleSeconds ?? ENVOY_IDLE]),
    ...(httpRoute === undefined ? [] : [ENVOY_IDLE]),
  ];
  // The proxy in the pod is the only client of the server, and never closes an idle connection of its own clients.
  return Math.ceil(Math.max(GO_IDLE, ...(isProxied ? [] : endpoints))) + MARGIN;
}
