import type { Duration } from 'cdk8s';

import type { NetworkRoute } from '../../kube/network/network-route';
import type { SecretKey } from '../../kube/values/secret-key';
import { checkSeconds } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { type Endpoint, originsOf } from '../access/hosts';

/** Whether a browser sends a cookie with requests that come from other sites. */
export enum SameSite {
  /** With links to MLflow, not with other requests. */
  LAX = 'lax',
  /**
   * Never. Choose it only where the identity provider is on the same site (`sso.example.com` for `mlflow.example.com`):
   * otherwise the browser does not send the cookie on its way back from the login, which then starts again.
   */
  STRICT = 'strict',
  /** Always, such as where another site shows MLflow in a frame. Browsers require `secure`. */
  NONE = 'none',
}

/** The cookie of a session in the browser. Scripts cannot read it (HttpOnly). */
export interface SessionCookieOptions {
  /**
   * Name of the cookie. Choose one for each server if several share a domain.
   * @default - that of the proxy (`_oauth2_proxy`) or of the plugin (`session`)
   */
  readonly name?: string;

  /**
   * Whether the browser sends the cookie over HTTPS only.
   * @default - true, unless the redirect URL begins with http: (the plugin: if it begins with https:)
   */
  readonly secure?: boolean;

  /**
   * Whether the browser sends the cookie with requests that come from other sites.
   * @default SameSite.LAX
   */
  readonly sameSite?: SameSite;

  /**
   * How long a session lasts, also that of a user whom the identity provider has removed.
   * @default - 7 days at the proxy, 14 days with the plugin
   */
  readonly lifetime?: Duration;
}

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

  /**
   * Scopes that the login asks for. `openid` must be among them; some providers need one for groups.
   * @default - openid, email and profile; the proxy adds groups with `allowedGroups`
   */
  readonly scopes?: string[];

  /**
   * Claim of the token that holds the groups of a user.
   * @default 'groups'
   */
  readonly groupsClaim?: string;

  /**
   * Cookie of the session.
   * @default - see the options
   */
  readonly cookie?: SessionCookieOptions;
}

/** Validates the client. */
export function checkClient(problems: Problems, client: OidcClientOptions): void {
  const { issuerUrl, clientSecret, redirectUrl } = client;
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
  checkClaims(problems, client);
  checkCookie(problems, client);
}

function checkClaims(problems: Problems, { scopes, groupsClaim }: OidcClientOptions): void {
  if (scopes !== undefined && !scopes.includes('openid')) {
    problems.add('auth.scopes', 'must contain openid', scopes.join(' '), 'The provider sends no ID token without it.');
  }
  for (const scope of scopes ?? []) {
    // RFC 6749, 3.3, without the comma, at which the plugin splits the list.
    if (!/^[!#-+\--[\]-~]+$/.test(scope)) {
      problems.add('auth.scopes', 'must be scopes without spaces, commas, quotes and backslashes', scope);
    }
  }
  if (groupsClaim !== undefined && !/^\S+$/.test(groupsClaim)) {
    problems.add('auth.groupsClaim', 'must be the name of a claim', groupsClaim);
  }
}

function checkCookie(problems: Problems, { cookie, redirectUrl }: OidcClientOptions): void {
  // RFC 6265, 4.1.1.
  if (cookie?.name !== undefined && !/^[\w!#$%&'*+.^`|~-]+$/.test(cookie.name)) {
    problems.add('auth.cookie.name', 'must be the name of a cookie, without spaces and separators', cookie.name);
  }
  checkSeconds(problems, 'auth.cookie.lifetime', cookie?.lifetime);
  if (cookie?.secure === true && redirectUrl?.startsWith('http:') === true) {
    problems.say(
      '`auth.cookie.secure` must not be true with an `auth.redirectUrl` that begins with http:, since browsers then drop the cookie.',
      'Leave it out, or use https.',
    );
  }
  if (cookie?.secure === false && cookie.sameSite === SameSite.NONE) {
    problems.say(
      '`auth.cookie.secure` must not be false with SameSite.NONE, since browsers then drop the cookie.',
      'Leave one of them out.',
    );
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
