import type { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import { checkContainer } from '../../kube/pod/pod-options';
import { checkSeconds } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import type { SecretKey } from '../../kube/values/secret-key';
import { checkRedis, type RedisOptions } from '../settings/redis-options';

import { checkClient, type OidcClientOptions } from './single-sign-on';

/** Options of {@link MlflowAuth.oauth2Proxy}. */
export interface OAuth2ProxyOptions extends OidcClientOptions {
  /** Key that encrypts session cookies: 16, 24 or 32 bytes, optionally in base64. All replicas share it. */
  readonly cookieSecret: SecretKey;

  /** E-mail domains of the users that may log in; `['*']` admits every user of the provider. */
  readonly emailDomains: string[];

  /**
   * Groups, from the claim `groupsClaim` of the token, that may log in. One is enough.
   * @default - no group is required
   */
  readonly allowedGroups?: string[];

  /**
   * Redis that holds the sessions of all replicas. Choose it where tokens are too large for cookies (many groups: 4 KiB each).
   * @default - each browser holds its session, encrypted, in cookies, which every replica can read
   */
  readonly redisSessions?: RedisOptions;

  /**
   * Time limit for a response of MLflow, such as to the upload of a large artifact.
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

// Set by the library, or a secret that everyone who may read the pod would see.
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
  '--cookie-secure': 'auth.cookie.secure',
  '--email-domain': 'auth.emailDomains',
  '--allowed-group': 'auth.allowedGroups',
  '--session-store-type': 'auth.redisSessions',
  '--redis-connection-url': 'auth.redisSessions',
  '--redis-password': 'auth.redisSessions',
  '--redis-sentinel-password': '',
};

/** The arguments of options that have no other effect, by their props. They are the user's where the prop is not set. */
export function optionalArguments({ scopes, groupsClaim, cookie = {} }: OAuth2ProxyOptions): OptionalArgument[] {
  return [
    { name: '--scope', prop: 'auth.scopes', value: scopes?.join(' ') },
    { name: '--oidc-groups-claim', prop: 'auth.groupsClaim', value: groupsClaim },
    { name: '--cookie-name', prop: 'auth.cookie.name', value: cookie.name },
    { name: '--cookie-samesite', prop: 'auth.cookie.sameSite', value: cookie.sameSite },
    {
      name: '--cookie-expire',
      prop: 'auth.cookie.lifetime',
      value: cookie.lifetime && `${String(cookie.lifetime.toSeconds())}s`,
    },
  ];
}

/** An argument of oauth2-proxy, if its prop is set. */
export interface OptionalArgument {
  readonly name: string;
  readonly prop: string;
  readonly value: string | undefined;
}

/** Validates the options. */
export function checkOAuth2Proxy(problems: Problems, options: OAuth2ProxyOptions): void {
  checkContainer(problems.at('auth'), options);
  checkClient(problems, options);
  options.cookieSecret._check(problems, 'auth.cookieSecret');
  if (options.emailDomains.length === 0) {
    problems.say(
      '`auth.emailDomains` must name at least one domain, got none.',
      "Use ['*'] to admit every user of the provider.",
    );
  }
  checkSeconds(problems, 'auth.upstreamTimeout', options.upstreamTimeout);
  checkRedis(problems, 'auth.redisSessions', options.redisSessions);
  checkArguments(problems, options);
}

function checkArguments(problems: Problems, options: OAuth2ProxyOptions): void {
  const names = (options.extraArgs ?? []).map((arg) => arg.split('=')[0] ?? '');
  const set = optionalArguments(options).filter(({ value }) => value !== undefined);
  const owners = { ...RESERVED_ARGUMENTS, ...Object.fromEntries(set.map(({ name, prop }) => [name, prop])) };
  for (const name of names) {
    const owner = owners[name];
    if (owner !== undefined) {
      problems.reserved(`auth.extraArgs ${name}`, owner);
    }
  }
  if (names.includes('--reverse-proxy') && !names.includes('--trusted-proxy-ip')) {
    problems.say(
      '`auth.extraArgs --reverse-proxy` needs `--trusted-proxy-ip`: otherwise a client that sends X-Forwarded-Uri: /health needs no login.',
      'Name the addresses of the ingress controller, or leave it out.',
    );
  }
}
