import { Duration, Size } from 'cdk8s';
import { IngressController, type MlflowServerProps, TlsCertificate } from 'cdk8s-mlflow';

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
