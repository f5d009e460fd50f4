import type { NetworkRoute } from '../../kube/network/network-route';
import type { Problems } from '../../validation/problems';
import { type Endpoint, originsOf } from '../access/hosts';

/** Validates the issuer URL of an identity provider. */
export function checkIssuer(problems: Problems, url: string): void {
  if (!/^https?:\/\/[^\s?#]+$/.test(url) || url.includes('/.well-known/')) {
    problems.add(
      'auth.issuerUrl',
      'must be the URL of an identity provider, as in the `iss` of its tokens',
      url,
      'Leave out /.well-known/openid-configuration.',
    );
  }
}

/** Validates a redirect URL. */
export function checkUrl(problems: Problems, prop: string, url: string | undefined): void {
  if (url !== undefined && !/^https?:\/\/[^\s?#/]+\/[^\s?#]*$/.test(url)) {
    problems.add(prop, 'must be a URL with scheme, host and path', url);
  }
}

/** The redirect URL, if the server has a single origin. */
export function callbackUrl(endpoints: readonly Endpoint[], path: string): string | undefined {
  const origins = new Set(originsOf(endpoints));
  const [origin] = origins;
  return origins.size === 1 && origin?.includes('*') === false ? `${origin}${path}` : undefined;
}

/** The network route to an identity provider: its port, at any address. */
export function routeToIssuer(url: string): NetworkRoute {
  const { port, protocol } = new URL(url);
  return { ports: [Number(port || (protocol === 'http:' ? 80 : 443))] };
}
