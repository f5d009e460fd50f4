import { Duration, Size } from 'cdk8s';
import { FileSource, IngressController, type MlflowServerProps, TlsCertificate } from 'cdk8s-mlflow';

import { chart, only, server, serverManifests } from '../../support/synth';

function annotations(controller: IngressController, props: Partial<MlflowServerProps> = {}): Record<string, string> {
  const ingress = { hosts: ['a.example.com'], controller };
  return only(serverManifests({ ingress, ...props }), 'Ingress').metadata.annotations;
}

const certificate = TlsCertificate.fromSecretName('server');

test('the nginx of Kubernetes lets any model through, and waits an hour for it', () => {
  expect(annotations(IngressController.ingressNginx())).toEqual({
    'nginx.ingress.kubernetes.io/proxy-body-size': '0',
    'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
    'nginx.ingress.kubernetes.io/proxy-send-timeout': '3600',
    'nginx.ingress.kubernetes.io/proxy-request-buffering': 'off',
  });
  const limited = IngressController.ingressNginx({ maxSize: Size.gibibytes(2), timeout: Duration.minutes(5) });
  expect(annotations(limited, { certificate })).toMatchObject({
    'nginx.ingress.kubernetes.io/proxy-body-size': '2048m',
    'nginx.ingress.kubernetes.io/proxy-read-timeout': '300',
    'nginx.ingress.kubernetes.io/backend-protocol': 'HTTPS',
  });
});

test('so does the nginx of F5', () => {
  expect(annotations(IngressController.f5Nginx({ maxSize: Size.mebibytes(100) }))).toEqual({
    'nginx.org/client-max-body-size': '100m',
    'nginx.org/proxy-read-timeout': '3600s',
    'nginx.org/proxy-send-timeout': '3600s',
  });
  expect(annotations(IngressController.f5Nginx(), { certificate })).toMatchObject({
    'nginx.org/client-max-body-size': '0',
    'nginx.org/ssl-services': 'mlflow',
  });
});

test('a load balancer of Amazon goes to the pods, and asks them for their health', () => {
  expect(annotations(IngressController.awsLoadBalancer(), { staticPrefix: '/x' })).toEqual({
    'alb.ingress.kubernetes.io/load-balancer-attributes': 'idle_timeout.timeout_seconds=3600',
    'alb.ingress.kubernetes.io/target-type': 'ip',
    'alb.ingress.kubernetes.io/healthcheck-path': '/x/health',
  });
  const short = IngressController.awsLoadBalancer({ timeout: Duration.minutes(2) });
  expect(annotations(short, { certificate })).toMatchObject({
    'alb.ingress.kubernetes.io/load-balancer-attributes': 'idle_timeout.timeout_seconds=120',
    'alb.ingress.kubernetes.io/backend-protocol': 'HTTPS',
  });
});

describe('Traefik', () => {
  const manifests = (controller: IngressController, props: Partial<MlflowServerProps> = {}) =>
    serverManifests({ ingress: { hosts: ['a.example.com'], controller }, ...props }, 'team');
  const ca = FileSource.fromSecret('mlflow-tls', 'ca.crt');

  test('needs nothing for a server without a certificate', () => {
    const made = manifests(IngressController.traefik());
    expect(made.map(({ kind }) => kind)).not.toContain('ServersTransport');
    expect(only(made, 'Ingress').metadata.annotations).toBeUndefined();
    expect(only(made, 'Service').metadata.annotations).toBeUndefined();
  });

  test('verifies the certificate by the name of the Service, through a ServersTransport that the Service names', () => {
    const made = manifests(IngressController.traefik({ ca }), { certificate });
    expect(only(made, 'ServersTransport')).toMatchObject({
      apiVersion: 'traefik.io/v1alpha1',
      metadata: { name: 'mlflow', namespace: 'team' },
      spec: { serverName: 'mlflow.team.svc', rootCAs: [{ secret: 'mlflow-tls' }] },
    });
    expect(only(made, 'Service').metadata.annotations).toEqual({
      'traefik.ingress.kubernetes.io/service.serversscheme': 'https',
      'traefik.ingress.kubernetes.io/service.serverstransport': 'team-mlflow@kubernetescrd',
    });
  });

  test('takes another name and a CA in a ConfigMap, or its own CAs; the annotations of the Service win', () => {
    const own = IngressController.traefik({
      serverName: 'mlflow.example.com',
      ca: FileSource.fromConfigMap('company-ca', 'ca.crt'),
    });
    const annotations = { 'traefik.ingress.kubernetes.io/service.serverstransport': 'mine@file', a: 'b' };
    const made = manifests(own, { certificate, service: { annotations } });
    expect(only(made, 'ServersTransport').spec).toEqual({
      serverName: 'mlflow.example.com',
      rootCAs: [{ configMap: 'company-ca' }],
    });
    expect(only(made, 'Service').metadata.annotations).toEqual({
      'traefik.ingress.kubernetes.io/service.serversscheme': 'https',
      ...annotations,
    });
    expect(only(manifests(IngressController.traefik(), { certificate }), 'ServersTransport').spec).toEqual({
      serverName: 'mlflow.team.svc',
    });
  });

  test('everything that is wrong is told at once', () => {
    const wrong = IngressController.traefik({
      serverName: 'https://x',
      ca: FileSource.fromSecret('mlflow-tls', 'tls.crt'),
    });
    const ingress = { hosts: ['a.b'], controller: wrong };
    const said = [
      '`ingress.controller.serverName` must be a host name without scheme, port or path, got "https://x".',
      '`ingress.controller.ca` must be in the key ca.crt, the only one that controllers read, got "tls.crt".',
    ];
    expect(() => server(chart(), { ingress, certificate })).toThrow(
      new Error(
        [
          ...said,
          '`ingress.controller` must be in a chart with a namespace, by which Traefik finds the ServersTransport. Set the `namespace` of the chart.',
        ]
          .map((line) => `[chart/mlflow] ${line}`)
          .join('\n'),
      ),
    );
    expect(() => server(chart(), { ingress })).toThrow(
      new Error(
        [
          '`ingress.controller` must have neither `serverName` nor `ca` without `certificate`: the server answers HTTP. Set the `certificate` of the server, or leave them out.',
          ...said,
        ]
          .map((line) => `[chart/mlflow] ${line}`)
          .join('\n'),
      ),
    );
  });
});

test("one's own annotations win", () => {
  const ingress = {
    hosts: ['a.example.com'],
    controller: IngressController.ingressNginx(),
    annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '8m', other: 'x' },
  };
  expect(only(serverManifests({ ingress }), 'Ingress').metadata.annotations).toMatchObject({
    'nginx.ingress.kubernetes.io/proxy-body-size': '8m',
    'nginx.ingress.kubernetes.io/proxy-read-timeout': '3600',
    other: 'x',
  });
});

test.each<[IngressController, string]>([
  [
    IngressController.ingressNginx({ timeout: Duration.millis(100) }),
    '`ingress.controller.timeout` must be a whole number of seconds from 1, got 0.1.',
  ],
  [
    IngressController.awsLoadBalancer({ timeout: Duration.hours(2) }),
    '`ingress.controller.timeout` must be at most 4000 seconds, got 7200.',
  ],
])('%#: refuses what a controller would', (controller, message) => {
  expect(() => server(chart(), { ingress: { hosts: ['a.b'], controller } })).toThrow(
    new Error(`[chart/mlflow] ${message}`),
  );
});
