import type { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import { checkContainer } from '../../kube/pod/pod-options';
import { checkSeconds } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import type { SecretKey } from '../../kube/values/secret-key';

import { checkIssuer, checkUrl } from './single-sign-on';

/** Options of {@link MlflowAuth.oauth2Proxy}. */
export interface OAuth2ProxyOptions {
  /** The identity provider: the URL below which `/.well-known/openid-configuration` is. */
  readonly issuerUrl: string;

  /** The client that MLflow is there. */
  readonly clientId: string;

  /** Its secret. */
  readonly clientSecret: SecretKey;

  /** The key that encrypts session cookies: 16, 24 or 32 bytes, also in base64. All replicas share it. */
  readonly cookieSecret: SecretKey;

  /** Domains of the e-mail addresses that are let in; `['*']` takes everybody whom the provider knows. */
  readonly emailDomains: string[];

  /**
   * Groups of which one is needed, as the token names them in `groups`.
   * @default - none is needed
   */
  readonly allowedGroups?: string[];

  /**
   * Where the provider sends people back to: `https://host/oauth2/callback`, as it is registered there.
   * @default - from `ingress` or `httpRoute`, where there is one host; otherwise from each request's host, with https
   */
  readonly redirectUrl?: string;

  /**
   * How long MLflow may take to answer, which for large artifacts is long.
   * @default Duration.minutes(5)
   */
  readonly upstreamTimeout?: Duration;

  /**
   * Further arguments of oauth2-proxy, such as `--oidc-extra-audience=…` for other clients' tokens.
   * @default - none
   */
  readonly extraArgs?: string[];

  /**
   * The image of oauth2-proxy, by tag or digest.
   * @default 'quay.io/oauth2-proxy/oauth2-proxy:v7.15.6'
   */
  readonly image?: string;

  /**
   * CPU, memory and temporary files of the proxy.
   * @default - requests 50 millicores, 64 MiB and 1 GiB of disk, limits 1 CPU, 256 MiB and 1 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;
}

// What the library sets itself, and what would show a secret to all who may read the pod.
const RESERVED_ARGUMENTS: Record<string, string> = {
  '--client-id': 'auth.clientId',
  '--client-secret': 'auth.clientSecret',
  '--cookie-secret': 'auth.cookieSecret',
  '--provider': '',
  '--oidc-issuer-url': 'auth.issuerUrl',
  '--http-address': '',
  '--https-address': '',
  '--tls-cert-file': 'certificate',
  '--tls-key-file': 'certificate',
  '--upstream': '',
  '--upstream-timeout': 'auth.upstreamTimeout',
  '--proxy-prefix': '',
  '--redirect-url': 'auth.redirectUrl',
  '--cookie-secure': 'auth.redirectUrl',
  '--email-domain': 'auth.emailDomains',
  '--allowed-group': 'auth.allowedGroups',
};

/** What the options must look like. */
export function checkOAuth2Proxy(problems: Problems, options: OAuth2ProxyOptions): void {
  checkContainer(problems.at('auth'), options);
  checkIssuer(problems, options.issuerUrl);
  options.clientSecret._check(problems, 'auth.clientSecret');
  options.cookieSecret._check(problems, 'auth.cookieSecret');
  if (options.emailDomains.length === 0) {
    problems.say(
      '`auth.emailDomains` must name at least one domain, got none.',
      "Use ['*'] to let everybody in whom the provider knows.",
    );
  }
  checkUrl(problems, 'auth.redirectUrl', options.redirectUrl);
  checkSeconds(problems, 'auth.upstreamTimeout', options.upstreamTimeout);
  checkArguments(problems, options.extraArgs ?? []);
}

function checkArguments(problems: Problems, args: string[]): void {
  const names = args.map((arg) => arg.split('=')[0] ?? '');
  for (const name of names) {
    const owner = RESERVED_ARGUMENTS[name];
    if (owner !== undefined) {
      problems.reserved(`auth.extraArgs ${name}`, owner);
    }
  }
  if (names.includes('--reverse-proxy') && !names.includes('--trusted-proxy-ip')) {
    problems.say(
      '`auth.extraArgs --reverse-proxy` needs `--trusted-proxy-ip`: otherwise whoever sends X-Forwarded-Uri: /health needs no login.',
      'Name the addresses of the ingress controller, or drop it.',
    );
  }
}
