import { Duration } from 'cdk8s';
import { FileSource, type HttpRouteOptions, TlsCertificate } from 'cdk8s-mlflow';

import { chart, container, env, only, server, serverManifests } from '../../support/synth';

const httpRoute: HttpRouteOptions = {
  gateways: [{ name: 'public', gatewayNamespace: 'gateways', sectionName: 'https' }],
  hosts: ['mlflow.example.com', 'models.example.com'],
};

test('a route leads from a Gateway to the Service', () => {
  const route = only(serverManifests({ httpRoute, service: { port: 80 } }), 'HTTPRoute');
  expect(route).toMatchObject({ apiVersion: 'gateway.networking.k8s.io/v1', metadata: { name: 'mlflow' } });
  expect(route.spec).toEqual({
    parentRefs: [
      {
        group: 'gateway.networking.k8s.io',
        kind: 'Gateway',
        name: 'public',
        namespace: 'gateways',
        sectionName: 'https',
      },
    ],
    hostnames: ['mlflow.example.com', 'models.example.com'],
    rules: [
      {
        matches: [{ path: { type: 'PathPrefix', value: '/' } }],
        backendRefs: [{ group: '', kind: 'Service', name: 'mlflow', port: 80, weight: 1 }],
      },
    ],
  });
});

test('follows the static prefix, and takes a time and annotations', () => {
  const options = { ...httpRoute, requestTimeout: Duration.hours(1), annotations: { a: 'b' } };
  const route = only(serverManifests({ staticPrefix: '/tracking', httpRoute: options }), 'HTTPRoute');
  expect(route.metadata.annotations).toEqual({ a: 'b' });
  expect(route.spec.rules[0]).toMatchObject({
    matches: [{ path: { type: 'PathPrefix', value: '/tracking' } }],
    timeouts: { request: '3600s' },
  });
});

test('a Gateway connects to a server with a certificate by HTTPS, and verifies it', () => {
  const policyOf = (options: Partial<HttpRouteOptions>, namespace?: string) =>
    only(
      serverManifests(
        { httpRoute: { ...httpRoute, ...options }, certificate: TlsCertificate.fromSecretName('tls') },
        namespace,
      ),
      'BackendTLSPolicy',
    );
  expect(policyOf({}, 'team')).toMatchObject({
    apiVersion: 'gateway.networking.k8s.io/v1',
    metadata: { name: 'mlflow', namespace: 'team' },
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: 'mlflow' }],
      validation: { hostname: 'mlflow.team.svc', wellKnownCACertificates: 'System' },
    },
  });
  const ca = FileSource.fromConfigMap('company-ca', 'ca.crt');
  expect(policyOf({ backendTls: { ca } }).spec.validation).toEqual({
    hostname: 'mlflow',
    caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: 'company-ca' }],
  });
  const backendTls = { ca: FileSource.fromSecret('tls', 'ca.crt'), serverName: 'mlflow.example.com' };
  expect(policyOf({ backendTls }).spec.validation).toEqual({
    hostname: 'mlflow.example.com',
    caCertificateRefs: [{ group: '', kind: 'Secret', name: 'tls' }],
  });
  expect(serverManifests({ httpRoute }).map(({ kind }) => kind)).not.toContain('BackendTLSPolicy');
});

test('its hosts are accepted, and browsers may write from them', () => {
  const variables = (options: HttpRouteOptions) =>
    env(container(serverManifests({ httpRoute: options, ingress: { hosts: ['old.example.com'] } }), 'mlflow'));
  expect(variables(httpRoute).MLFLOW_SERVER_ALLOWED_HOSTS).toContain('old.example.com:*,mlflow.example.com,');
  expect(variables(httpRoute).MLFLOW_SERVER_CORS_ALLOWED_ORIGINS).toBe(
    'http://old.example.com,https://mlflow.example.com,https://models.example.com',
  );
  expect(variables({ ...httpRoute, https: false }).MLFLOW_SERVER_CORS_ALLOWED_ORIGINS).toContain(
    'http://mlflow.example.com',
  );
});

test('everything that is wrong is told at once', () => {
  const wrong = { gateways: [], hosts: [], path: 'x', requestTimeout: Duration.millis(1500) };
  expect(() => server(chart(), { httpRoute: wrong })).toThrow(
    new Error(
      [
        '`httpRoute.gateways` must name at least one Gateway, got none.',
        '`httpRoute.hosts` must name at least one host, got none.',
        '`httpRoute.path` must start with a slash, got "x".',
        '`httpRoute.requestTimeout` must be a whole number of seconds from 1, got 1.5.',
      ]
        .map((line) => `[chart/mlflow] ${line}`)
        .join('\n'),
    ),
  );
  expect(() => server(chart(), { httpRoute: { gateways: [{ name: 'A' }], hosts: ['http://a'] } })).toThrow(
    new Error(
      [
        '`httpRoute.gateways[0].name` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
        '`httpRoute.hosts[0]` must be a host name without scheme, port or path, got "http://a".',
      ]
        .map((line) => `[chart/mlflow] ${line}`)
        .join('\n'),
    ),
  );
});
