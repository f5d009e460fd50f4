import { Duration } from 'cdk8s';
import {
  MlflowAuth,
  type MlflowServerProps,
  type OAuth2ProxyOptions,
  NetworkPeer,
  ReadinessCheck,
  SameSite,
  SecretKey,
  TlsCertificate,
} from 'cdk8s-mlflow';

import { chart, container, env, type Manifest, only, podOf, server, serverManifests } from '../../support/synth';

const key = (name: string): SecretKey => SecretKey.fromSecretName('sso', name);

function proxied(
  options: Partial<OAuth2ProxyOptions> = {},
  props: Partial<MlflowServerProps> = {},
): Partial<MlflowServerProps> {
  const auth = MlflowAuth.oauth2Proxy({
    issuerUrl: 'https://sso.example.com/realms/a',
    clientId: 'mlflow',
    clientSecret: key('client-secret'),
    cookieSecret: key('cookie-secret'),
    emailDomains: ['example.com'],
    ...options,
  });
  return { auth, encryption: { passphrase: key('passphrase') }, ...props };
}

function argumentsOf(options: Partial<OAuth2ProxyOptions> = {}, props: Partial<MlflowServerProps> = {}): string[] {
  return container(serverManifests(proxied(options, props)), 'oauth2-proxy').args;
}

test('the proxy listens where the Service sends requests, and MLflow on the loopback address', () => {
  const manifests = serverManifests(proxied());
  expect(only(manifests, 'Service').spec.ports).toEqual([{ name: 'http', port: 5000, targetPort: 5000 }]);
  const proxy = container(manifests, 'oauth2-proxy');
  expect(proxy.ports).toEqual([{ name: 'http', containerPort: 5000 }]);
  expect(proxy.args).toEqual([
    '--provider=oidc',
    '--oidc-issuer-url=https://sso.example.com/realms/a',
    '--client-id=mlflow',
    '--code-challenge-method=S256',
    '--http-address=:5000',
    '--upstream=http://127.0.0.1:5001',
    '--upstream-timeout=300s',
    '--cookie-samesite=lax',
    '--email-domain=example.com',
    '--skip-provider-button=true',
    '--skip-jwt-bearer-tokens=true',
    '--api-route=^/(api|ajax-api|gateway|graphql|v1)(/|$)',
    '--skip-auth-route=GET=^/health$',
  ]);
  const mlflow = container(manifests, 'mlflow');
  expect(mlflow.ports).toBeUndefined();
  expect(mlflow.args).toEqual(expect.arrayContaining(['--host=127.0.0.1', '--port=5001']));
  expect(mlflow.args).not.toContain('--host=0.0.0.0');
});

test('metrics need no login, where the server has them', () => {
  expect(argumentsOf({}, { metrics: true })).toContain('--skip-auth-route=GET=^/metrics$');
});

test('the proxy shows the certificate, and MLflow behind it speaks plain HTTP', () => {
  const manifests = serverManifests(proxied({}, { certificate: TlsCertificate.fromSecretName('mlflow-tls') }));
  const proxy = container(manifests, 'oauth2-proxy');
  const mlflow = container(manifests, 'mlflow');
  expect(proxy.args.filter((arg: string) => /address|tls/.test(arg))).toEqual([
    '--http-address=-',
    '--https-address=:5000',
    '--tls-cert-file=/etc/mlflow-tls/certificate/tls.crt',
    '--tls-key-file=/etc/mlflow-tls/key/tls.key',
  ]);
  expect(proxy.ports).toEqual([{ name: 'https', containerPort: 5000 }]);
  expect(only(manifests, 'Service').spec.ports[0].name).toBe('https');
  expect([proxy.livenessProbe.httpGet.scheme, proxy.readinessProbe.httpGet.scheme]).toEqual(['HTTPS', 'HTTPS']);
  const folders = (each: Manifest): string[] =>
    (each.volumeMounts ?? []).map(({ mountPath }: Manifest) => mountPath as string);
  expect(folders(proxy)).toEqual(['/etc/mlflow-tls/certificate', '/etc/mlflow-tls/key']);
  expect(folders(mlflow).filter((folder) => folder.includes('tls'))).toEqual([]);
  expect(JSON.stringify(mlflow.args)).not.toContain('ssl');
});

test.each<[string, number]>([
  ['https://sso.example.com', 443],
  ['http://sso.example.com/realms/a', 80],
  ['https://sso.example.com:8443/realms/a', 8443],
])('an isolated server reaches %s at port %i', (issuerUrl, port) => {
  const { spec } = only(serverManifests(proxied({ issuerUrl }, { isolation: {} })), 'NetworkPolicy');
  expect(spec.egress).toContainEqual({ ports: [{ port, protocol: 'TCP' }] });
  expect(spec.ingress[0].ports).toEqual([{ port: 5000, protocol: 'TCP' }]);
});

test('the runbook does not take the proxy for preparation', () => {
  const runbook = server(chart(), proxied()).runbook();
  expect(runbook).toContain('-c init-mlflow');
  expect(runbook).not.toContain('-c oauth2-proxy');
});

test('secrets are in the environment only', () => {
  const proxy = container(serverManifests(proxied()), 'oauth2-proxy');
  expect(env(proxy)).toEqual({
    OAUTH2_PROXY_CLIENT_SECRET: { secretKeyRef: { name: 'sso', key: 'client-secret' } },
    OAUTH2_PROXY_COOKIE_SECRET: { secretKeyRef: { name: 'sso', key: 'cookie-secret' } },
  });
});

test('it starts before MLflow and stops after it, under the restricted standard', () => {
  const pod = podOf(serverManifests(proxied()));
  expect(pod.containers.map(({ name }: { name: string }) => name)).toEqual(['mlflow']);
  const proxy = pod.initContainers[pod.initContainers.length - 1];
  expect(proxy).toMatchObject({
    name: 'oauth2-proxy',
    image: 'quay.io/oauth2-proxy/oauth2-proxy:v7.15.6',
    restartPolicy: 'Always',
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    resources: {
      requests: { cpu: '50m', memory: '64Mi', 'ephemeral-storage': '1Gi' },
      limits: { cpu: '1', memory: '256Mi', 'ephemeral-storage': '1Gi' },
    },
    livenessProbe: { httpGet: { path: '/ping', port: 5000 }, periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: { httpGet: { path: '/ready', port: 5000 }, periodSeconds: 5, failureThreshold: 2 },
  });
});

test('the probes of MLflow ask inside the pod, with the path that they always have', () => {
  const probe = (path: string) => ({
    exec: { command: ['python', '-I', '-S', '/opt/mlflow/scripts/probe_server.py', '5001', path] },
    timeoutSeconds: 10,
  });
  expect(container(serverManifests(proxied({}, { staticPrefix: '/x' })), 'mlflow')).toMatchObject({
    startupProbe: { ...probe('/x/health'), periodSeconds: 1, failureThreshold: 300 },
    livenessProbe: { ...probe('/x/health'), periodSeconds: 10, failureThreshold: 6 },
    readinessProbe: { ...probe('/x/health'), periodSeconds: 5, failureThreshold: 2 },
  });
  // Nobody logs in at MLflow itself.
  const database = serverManifests(proxied({}, { readinessCheck: ReadinessCheck.DATABASE }));
  expect(container(database, 'mlflow').readinessProbe).toMatchObject(
    probe('/api/2.0/mlflow/experiments/get?experiment_id=0'),
  );
});

test.each<[Partial<OAuth2ProxyOptions>, Partial<MlflowServerProps>, string[]]>([
  [
    {},
    { ingress: { hosts: ['a.example.com'], tlsSecretName: 'tls' } },
    ['--redirect-url=https://a.example.com/oauth2/callback'],
  ],
  [
    {},
    { ingress: { hosts: ['a.example.com'] } },
    ['--redirect-url=http://a.example.com/oauth2/callback', '--cookie-secure=false'],
  ],
  [
    {},
    {
      httpRoute: { gateways: [{ name: 'g' }], hosts: ['a.example.com'] },
      ingress: { hosts: ['a.example.com'], tlsSecretName: 'tls' },
    },
    ['--redirect-url=https://a.example.com/oauth2/callback'],
  ],
  [
    {},
    { httpRoute: { gateways: [{ name: 'g' }], hosts: ['a.example.com'] }, ingress: { hosts: ['a.example.com'] } },
    [],
  ],
  [{}, { ingress: { hosts: ['a.example.com', 'b.example.com'] } }, []],
  [{}, { ingress: { hosts: ['*.example.com'] } }, []],
  [
    { redirectUrl: 'https://b.example.com/oauth2/callback' },
    { ingress: { hosts: ['a.example.com'] } },
    ['--redirect-url=https://b.example.com/oauth2/callback'],
  ],
  [
    {},
    { ingress: { hosts: ['a.example.com'], tlsSecretName: 'tls' }, staticPrefix: '/v1.0' },
    ['--proxy-prefix=/v1.0/oauth2', '--redirect-url=https://a.example.com/v1.0/oauth2/callback'],
  ],
])('%#: people are sent back to where they came from', (options, props, expected) => {
  const args = argumentsOf(options, props);
  expect(args.filter((arg) => /^--(redirect-url|cookie-secure|proxy-prefix)/.test(arg))).toEqual(expected);
});

test('paths are matched as they are, and lists keep their commas', () => {
  const args = argumentsOf(
    {
      allowedGroups: ['ml', 'cn="a",dc=b'],
      upstreamTimeout: Duration.hours(1),
      extraArgs: ['--oidc-extra-audience=robots'],
    },
    { staticPrefix: '/v1.0' },
  );
  expect(args).toEqual(
    expect.arrayContaining([
      '--allowed-group=ml',
      '--allowed-group="cn=""a"",dc=b"',
      '--upstream-timeout=3600s',
      '--skip-auth-route=GET=^/v1\\.0/health$',
      '--api-route=^/v1\\.0/(api|ajax-api|gateway|graphql|v1)(/|$)',
    ]),
  );
  expect(args[args.length - 1]).toBe('--oidc-extra-audience=robots');
});

test('scopes, the claim of the groups, the cookie and the Redis', () => {
  const options = {
    scopes: ['openid', 'email'],
    groupsClaim: 'roles',
    cookie: { name: 'ml', secure: false, sameSite: SameSite.STRICT, lifetime: Duration.hours(12) },
    redisSessions: { url: key('redis'), route: { peers: [NetworkPeer.cidr('10.1.0.0/16')] } },
  };
  const manifests = serverManifests(proxied(options, { isolation: {} }));
  const proxy = container(manifests, 'oauth2-proxy');
  expect(proxy.args.filter((arg: string) => /scope|groups|cookie|session/.test(arg))).toEqual([
    '--cookie-secure=false',
    '--scope=openid email',
    '--oidc-groups-claim=roles',
    '--cookie-name=ml',
    '--cookie-samesite=strict',
    '--cookie-expire=43200s',
    '--session-store-type=redis',
  ]);
  expect(env(proxy)).toMatchObject({
    OAUTH2_PROXY_REDIS_CONNECTION_URL: { secretKeyRef: { name: 'sso', key: 'redis' } },
  });
  expect(only(manifests, 'NetworkPolicy').spec.egress).toContainEqual({
    to: [{ ipBlock: { cidr: '10.1.0.0/16' } }],
    ports: [{ port: 6379, protocol: 'TCP' }],
  });
});

test('an argument is yours as long as its prop is not set', () => {
  expect(argumentsOf({ extraArgs: ['--cookie-expire=12h'] })).toContain('--cookie-expire=12h');
});

const itself = 'must not be set: the library sets it itself.';

test.each<[Partial<OAuth2ProxyOptions>, string]>([
  [
    { issuerUrl: 'sso.example.com' },
    '`auth.issuerUrl` must be the URL of an identity provider, as in the `iss` of its tokens, got "sso.example.com". Leave out /.well-known/openid-configuration.',
  ],
  [
    { emailDomains: [] },
    "`auth.emailDomains` must name at least one domain, got none. Use ['*'] to admit every user of the provider.",
  ],
  [{ redirectUrl: 'https://a' }, '`auth.redirectUrl` must be a URL with scheme, host and path, got "https://a".'],
  [{ upstreamTimeout: Duration.seconds(0) }, '`auth.upstreamTimeout` must be a whole number of seconds from 1, got 0.'],
  [
    { cookie: { lifetime: Duration.hours(12) }, extraArgs: ['--cookie-expire=1h'] },
    `\`auth.extraArgs --cookie-expire\` ${itself} Use \`auth.cookie.lifetime\`.`,
  ],
  [
    { extraArgs: ['--redis-connection-url=redis://:x@h'] },
    `\`auth.extraArgs --redis-connection-url\` ${itself} Use \`auth.redisSessions\`.`,
  ],
  [{ extraArgs: ['--client-secret=x'] }, `\`auth.extraArgs --client-secret\` ${itself} Use \`auth.clientSecret\`.`],
  [{ extraArgs: ['--http-address=:1'] }, `\`auth.extraArgs --http-address\` ${itself}`],
  [
    { extraArgs: ['--reverse-proxy=true'] },
    '`auth.extraArgs --reverse-proxy` needs `--trusted-proxy-ip`: otherwise a client that sends X-Forwarded-Uri: /health needs no login. Name the addresses of the ingress controller, or leave it out.',
  ],
])('%#: refuses %j', (options, message) => {
  expect(() => server(chart(), proxied(options))).toThrow(new Error(`[chart/mlflow] ${message}`));
});
