import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { logsJsonBy } from '../../cluster/log-format';
import { IMAGES } from '../../images';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';
import { container, type ContainerOptions } from '../../kube/pod/pod';
import type { PodPart } from '../../kube/pod/pod-part';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';
import { CERTIFICATE_FILE, KEY_FILE, PROXIED_PORT, SERVER_PORT } from '../settings/port';
import { routesToRedis } from '../settings/redis-options';

import { type AuthContext, type AuthParts, type AuthStrategy, NO_AUTH } from './auth-strategy';
import { checkOAuth2Proxy, type OAuth2ProxyOptions, optionalArguments } from './oauth2-proxy-options';
import { callbackUrl, routeToIssuer, SameSite } from './single-sign-on';

const PROXY = 'oauth2-proxy';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(64), limit: Size.mebibytes(256) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/** A proxy in each pod that listens instead of MLflow. */
export class OAuth2Proxy implements AuthStrategy {
  public constructor(private readonly options: OAuth2ProxyOptions) {}

  public check(problems: Problems): void {
    checkOAuth2Proxy(problems, this.options);
  }

  public bind(_scope: Construct, _labels: ObjectLabels, context: AuthContext): AuthParts {
    const { redisSessions } = this.options;
    const part: PodPart = {
      of: 'auth',
      envVariables: {
        OAUTH2_PROXY_CLIENT_SECRET: this.options.clientSecret._value(),
        OAUTH2_PROXY_COOKIE_SECRET: this.options.cookieSecret._value(),
        ...(redisSessions && { OAUTH2_PROXY_REDIS_CONNECTION_URL: redisSessions.url._value() }),
      },
      routes: [routeToIssuer(this.options.issuerUrl), ...routesToRedis(redisSessions)],
    };
    return {
      ...NO_AUTH,
      proxy: (certificate) => container(PROXY, [part, certificate], this.sidecar(context)),
    };
  }

  /** A native sidecar: it starts before MLflow and stops after it, so that no response is cut off. */
  private sidecar(context: AuthContext): ContainerOptions {
    const probe = (path: string, periodSeconds: number, failureThreshold: number): kplus.Probe =>
      kplus.Probe.fromHttpGet(path, {
        port: SERVER_PORT,
        scheme: context.isHttps ? kplus.ConnectionScheme.HTTPS : kplus.ConnectionScheme.HTTP,
        periodSeconds: Duration.seconds(periodSeconds),
        timeoutSeconds: Duration.seconds(5),
        failureThreshold,
      });
    return {
      image: this.options.image ?? IMAGES.oauth2Proxy,
      restartPolicy: kplus.ContainerRestartPolicy.ALWAYS,
      args: proxyArguments(this.options, context),
      ports: [{ name: context.isHttps ? 'https' : 'http', number: SERVER_PORT }],
      resources: this.options.resources ?? DEFAULT_RESOURCES,
      liveness: probe('/ping', 10, 6),
      readiness: probe('/ready', 5, 2),
    };
  }
}

// Its templates quote some fields themselves: the path and the user agent.
logsJsonBy(PROXY, {
  OAUTH2_PROXY_STANDARD_LOGGING_FORMAT: json({ message: '{{printf "%q" .Message}}', logger: '{{printf "%q" .File}}' }),
  OAUTH2_PROXY_AUTH_LOGGING_FORMAT: json({
    message: '{{printf "%q" .Message}}',
    status: '{{printf "%q" .Status}}',
    user: '{{printf "%q" .Username}}',
    client: '{{printf "%q" .Client}}',
  }),
  OAUTH2_PROXY_REQUEST_LOGGING_FORMAT: json({
    message: '{{.RequestURI}}',
    method: '{{printf "%q" .RequestMethod}}',
    status: '{{.StatusCode}}',
    seconds: '{{.RequestDuration}}',
    user: '{{printf "%q" .Username}}',
    client: '{{printf "%q" .Client}}',
  }),
});

function json(fields: Record<string, string>): string {
  const all = { time: '{{printf "%q" .Timestamp}}', ...fields };
  return `{${Object.entries(all)
    .map(([name, value]) => `"${name}":${value}`)
    .join(',')}}`;
}

/**
 * The arguments of oauth2-proxy. They contain no secret.
 *
 * `--reverse-proxy` is not among them: it trusts X-Forwarded-Uri, so any request that claims to be for `/health` would pass.
 * @see https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview
 */
function proxyArguments(options: OAuth2ProxyOptions, context: AuthContext): string[] {
  const { staticPrefix } = context;
  const { upstreamTimeout = Duration.minutes(5), allowedGroups = [], cookie = {} } = options;
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
    // Browsers send secure cookies over HTTPS only.
    ...((cookie.secure ?? redirectUrl?.startsWith('http:') !== true) ? [] : ['--cookie-secure=false']),
    ...(cookie.sameSite === undefined ? [`--cookie-samesite=${SameSite.LAX}`] : []),
    ...optionalArguments(options).flatMap(({ name, value }) => (value === undefined ? [] : [`${name}=${value}`])),
    ...(options.redisSessions === undefined ? [] : ['--session-store-type=redis']),
    ...options.emailDomains.map((domain) => `--email-domain=${domain}`),
    ...allowedGroups.map((group) => `--allowed-group=${quoted(group)}`),
    '--skip-provider-button=true',
    // MLflow's client sends the token in MLFLOW_TRACKING_TOKEN.
    '--skip-jwt-bearer-tokens=true',
    // Clients of the API get 401: they would follow a redirect to the login page and take it for success.
    `--api-route=^${escaped(staticPrefix)}/(api|ajax-api|gateway|graphql|v1)(/|$)`,
    `--skip-auth-route=GET=^${escaped(staticPrefix)}/health$`,
    // MLflow's exporter ignores the prefix (mlflow.server.prometheus_exporter).
    ...(context.metrics ? ['--skip-auth-route=GET=^/metrics$'] : []),
    ...(context.accessLog ? [] : ['--request-logging=false']),
    ...(options.extraArgs ?? []),
  ];
}

function addressesOf(isHttps: boolean): string[] {
  // Without a host, Go listens on IPv4 and IPv6, whichever the pod has.
  const address = `:${String(SERVER_PORT)}`;
  return isHttps
    ? // `-` disables plain HTTP, which has a port of its own by default.
      [
        '--http-address=-',
        `--https-address=${address}`,
        `--tls-cert-file=${CERTIFICATE_FILE}`,
        `--tls-key-file=${KEY_FILE}`,
      ]
    : [`--http-address=${address}`];
}

// The flag takes a comma-separated list, and a group may contain commas: cn=ml,dc=example.
function quoted(group: string): string {
  return /[",]/.test(group) ? `"${group.replace(/"/g, '""')}"` : group;
}

function escaped(path: string): string {
  return path.replace(/[.]/g, '\\.');
}
