import { Duration } from 'cdk8s';
import { IngressController, MlflowAuth, type MlflowServerProps, SecretKey } from 'cdk8s-mlflow';

import { container, serverManifests } from '../../support/synth';

const hosts = ['mlflow.example.com'];
const gateways = [{ name: 'gateway' }];
const auth = MlflowAuth.oauth2Proxy({
  issuerUrl: 'https://login.example.com',
  clientId: 'mlflow',
  clientSecret: SecretKey.fromSecretName('auth', 'client-secret'),
  cookieSecret: SecretKey.fromSecretName('auth', 'cookie-secret'),
  emailDomains: ['example.com'],
});
const encryption = { passphrase: SecretKey.fromSecretName('auth', 'passphrase') };

function keepAlive(props: Partial<MlflowServerProps>): string | undefined {
  const options = container(serverManifests(props), 'mlflow').args.find((arg: string) => arg.includes('uvicorn'));
  return /--timeout-keep-alive=(\d+)/.exec(options)?.[1];
}

test.each<[string, Partial<MlflowServerProps>, number]>([
  ['clients and proxies in the cluster', {}, 105],
  ['the nginx controller', { ingress: { hosts, controller: IngressController.ingressNginx() } }, 105],
  ['Traefik', { ingress: { hosts, controller: IngressController.traefik() } }, 105],
  ['an ALB, as long as it is told', { ingress: { hosts, controller: IngressController.awsLoadBalancer() } }, 3615],
  [
    'an ALB with a timeout',
    { ingress: { hosts, controller: IngressController.awsLoadBalancer({ timeout: Duration.minutes(10) }) } },
    615,
  ],
  ['another controller', { ingress: { hosts } }, 3615],
  ['a Gateway', { httpRoute: { hosts, gateways } }, 3615],
  ['oauth2-proxy, whatever stands before it', { httpRoute: { hosts, gateways }, auth, encryption }, 105],
])('the server keeps idle connections longer than %s', (_, props, seconds) => {
  expect(keepAlive(props)).toBe(String(seconds));
});

test('without an access log, neither the server nor its proxy logs requests', () => {
  const manifests = serverManifests({ auth, encryption, accessLog: false });
  expect(container(manifests, 'mlflow').args.join(' ')).toMatch(/--log-config=\S+ --no-access-log( |$)/);
  expect(container(manifests, 'oauth2-proxy').args).toContain('--request-logging=false');
  const logged = serverManifests({ auth, encryption });
  expect(JSON.stringify(logged)).not.toMatch(/no-access-log|request-logging/);
});

test("a user's own value comes last, which uvicorn takes", () => {
  const { args } = container(serverManifests({ extraArgs: ['--uvicorn-opts=--timeout-keep-alive=5'] }), 'mlflow');
  expect(args.join(' ')).toMatch(/--timeout-keep-alive=105 .*--timeout-keep-alive=5( |$)/);
});
