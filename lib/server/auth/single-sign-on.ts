import type { NetworkRoute } from '../../kube/network/network-route';
import type { SecretKey } from '../../kube/values/secret-key';
import type { Problems } from '../../validation/problems';
import { type Endpoint, originsOf } from '../access/hosts';

/** The client of MLflow at an identity provider (OpenID Connect). */
export interface OidcClientOptions {
  /** Issuer URL of the identity provider, without `/.well-known/openid-configuration`. */
  readonly issuerUrl: string;

  /** Client id of MLflow at the identity provider. */
  readonly clientId: string;

  /** Secret of that client. */
  readonly clientSecret: SecretKey;

  /**
   * Redirect URL that is registered at the identity provider: `https://host/oauth2/callback` for `MlflowAuth.oauth2Proxy`,
   * `https://host/callback` for `MlflowAuth.oidc`.
   * @default - from the single host of `ingress` or `httpRoute`; with several hosts or none, from each request (the proxy assumes https)
   */
  readonly redirectUrl?: string;
}

/** Validates the client. */
export function checkClient(problems: Problems, { issuerUrl, clientSecret, redirectUrl }: OidcClientOptions): void {
  if (!/^https?:\/\/[^\s?#]+$/.test(issuerUrl) || issuerUrl.includes('/.well-known/')) {
    problems.add(
      'auth.issuerUrl',
      'must be the URL of an identity provider, as in the `iss` of its tokens',
      issuerUrl,
      'Leave out /.well-known/openid-configuration.',
    );
  }
  clientSecret._check(problems, 'auth.clientSecret');
  if (redirectUrl !== undefined && !/^https?:\/\/[^\s?#/]+\/[^\s?#]*$/.test(redirectUrl)) {
    problems.add('auth.redirectUrl', 'must be a URL with scheme, host and path', redirectUrl);
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
