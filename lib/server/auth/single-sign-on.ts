import type { Problems } from '../../validation/problems';

import type { NetworkRoute } from '../../kube/network/network-route';
import type { Endpoint } from '../access/hosts';

/** What the URL of an identity provider must look like. */
export function checkIssuer(problems: Problems, url: string): void {
  if (!/^https?:\/\/[^\s?#]+$/.test(url) || url.includes('/.well-known/')) {
    problems.add(
      'auth.issuerUrl',
      'must be the URL of an identity provider, as its tokens name it in `iss`',
      url,
      'Leave out /.well-known/openid-configuration.',
    );
  }
}

/** What a URL must look like that browsers are sent to. */
export function checkUrl(problems: Problems, prop: string, url: string | undefined): void {
  if (url !== undefined && !/^https?:\/\/[^\s?#/]+\/[^\s?#]*$/.test(url)) {
    problems.add(prop, 'must be a URL with scheme, host and path', url);
  }
}

/** Where a provider sends people back to, if there is one place only. */
export function callbackUrl(endpoints: readonly Endpoint[], path: string): string | undefined {
  const origins = new Set(
    endpoints.flatMap(({ hosts, https }) => hosts.map((host) => `${https ? 'https' : 'http'}://${host}`)),
  );
  const [origin] = origins;
  return origins.size === 1 && origin?.includes('*') === false ? `${origin}${path}` : undefined;
}

/** The way to an identity provider: its port, at whatever address. */
export function routeToIssuer(url: string): NetworkRoute {
  const { port, protocol } = new URL(url);
  return { ports: [Number(port || (protocol === 'http:' ? 80 : 443))] };
}
