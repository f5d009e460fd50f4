import { Duration } from 'cdk8s';

import { CERTIFICATE_FILE, KEY_FILE } from '../settings/port';
import { PROXIED_PORT, SERVER_PORT } from '../settings/port';

import type { AuthContext } from './auth-strategy';
import type { OAuth2ProxyOptions } from './oauth2-proxy-options';
import { callbackUrl } from './single-sign-on';

/**
 * The arguments of oauth2-proxy: nothing in them is secret.
 *
 * `--reverse-proxy` is not among them: it would believe X-Forwarded-Uri, and so let in whoever claims to ask for `/health`.
 * @see https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview
 */
export function proxyArguments(options: OAuth2ProxyOptions, context: AuthContext): string[] {
  const { staticPrefix } = context;
  const { upstreamTimeout = Duration.minutes(5), allowedGroups = [] } = options;
  const redirectUrl = options.redirectUrl ?? callbackUrl(context.endpoints, `${staticPrefix}/oauth2/callback`);
  return [
    '--provider=oidc',
    `--oidc-issuer-url=${options.issuerUrl}`,
    `--client-id=${options.clientId}`,
    '--code-challenge-method=S256',
    ...addressesOf(context.isHttps),
    `--upstream=http://127.0.0.1:${String(PROXIED_PORT)}`,
    `--upstream-timeout=${String(upstreamTimeout.toSeconds())}s`,
    ...(staticPrefix === '' ? [] : [`--proxy-prefix=${staticPrefix}/oauth2`]),
    ...(redirectUrl === undefined ? [] : [`--redirect-url=${redirectUrl}`]),
    // Over plain HTTP, no browser would send a secure cookie back.
    ...(redirectUrl?.startsWith('http:') === true ? ['--cookie-secure=false'] : []),
    '--cookie-samesite=lax',
    ...options.emailDomains.map((domain) => `--email-domain=${domain}`),
    ...allowedGroups.map((group) => `--allowed-group=${quoted(group)}`),
    '--skip-provider-button=true',
    // For the client of MLflow, which sends the token in MLFLOW_TRACKING_TOKEN and cannot follow a login page.
    '--skip-jwt-bearer-tokens=true',
    // A program answers a redirection to a login page by reading it, and takes that for success.
    `--api-route=^${escaped(staticPrefix)}/(api|ajax-api|gateway|graphql|v1)(/|$)`,
    `--skip-auth-route=GET=^${escaped(staticPrefix)}/health$`,
    // MLflow's exporter takes no notice of the prefix (mlflow.server.prometheus_exporter).
    ...(context.metrics ? ['--skip-auth-route=GET=^/metrics$'] : []),
    ...(options.extraArgs ?? []),
  ];
}

function addressesOf(isHttps: boolean): string[] {
  const address = `0.0.0.0:${String(SERVER_PORT)}`;
  return isHttps
    ? // Without a `-`, it would listen on a port of its own for plain HTTP as well.
      [
        '--http-address=-',
        `--https-address=${address}`,
        `--tls-cert-file=${CERTIFICATE_FILE}`,
        `--tls-key-file=${KEY_FILE}`,
      ]
    : [`--http-address=${address}`];
}

// Such flags are read as lists with commas, and a group can be a name in a directory: cn=ml,dc=example.
function quoted(group: string): string {
  return /[",]/.test(group) ? `"${group.replace(/"/g, '""')}"` : group;
}

function escaped(path: string): string {
  return path.replace(/[.]/g, '\\.');
}
