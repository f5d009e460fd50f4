import { container, env, serverManifests } from '../../support/synth';

/** The rule of mlflow.server.security_utils.is_allowed_host_header: exact, or fnmatch where there is a star. */
function accepts(list: string, host: string): boolean {
  return list.split(',').some((allowed) => (allowed.includes('*') ? fnmatch(allowed).test(host) : allowed === host));
}

function fnmatch(pattern: string): RegExp {
  const tokens = pattern.match(/\[.[^\]]*\]|./g) ?? [];
  const source = tokens.map((token) => {
    if (token === '*') {
      return '.*';
    }
    return token.length > 1 ? token.replace(/^\[\[/, '[\\[') : token.replace(/[.?+^$(){}|[\]\\]/, '\\$&');
  });
  return new RegExp(`^${source.join('')}$`);
}

const ingress = { hosts: ['mlflow.example.com'], tlsSecretName: 'tls' };
const variables = env(container(serverManifests({ ingress, allowedHosts: ['proxy.corp:8443'] }, 'ml'), 'mlflow'));
const list = variables.MLFLOW_SERVER_ALLOWED_HOSTS as string;

test.each([
  'mlflow',
  'mlflow:5000',
  'mlflow.ml',
  'mlflow.ml:80',
  'mlflow.ml.svc',
  'mlflow.ml.svc:5000',
  'mlflow.ml.svc.cluster.local',
  'mlflow.ml.svc.cluster.local:5000',
  'mlflow.example.com',
  'mlflow.example.com:443',
  'proxy.corp:8443',
  'localhost',
  'localhost:5000',
  '127.0.0.1:8080',
  '[::1]:5000',
  '10.1.2.3:5000',
  '192.168.0.1',
  '172.16.0.1:5000',
  '172.31.255.255',
  '[fd00::1]:5000',
  '100.64.0.1:5000',
  '100.99.0.1',
  '100.119.1.1',
  '100.127.255.255:5000',
  '10.1.2.3',
  '10.255.255.255:5000',
  '10.0.0.10',
  '192.168.200.100:80',
  '172.20.0.99',
  '172.29.10.1:5000',
  '100.64.0.1',
  '100.70.1.22:5000',
  '100.110.255.255',
  '[fd12:3456::1]',
  '[fc00::1]:5000',
  '[2001:db8::1]:5000',
  '[2a05:d018:1234::ab]',
  '[3fff::1]:5000',
])('accepts %s', (host) => {
  expect(accepts(list, host)).toBe(true);
});

test.each([
  'evil.example.com',
  'mlflow.evil.com',
  'mlflow.ml.svc.evil.com:5000',
  'mlflowx',
  'mlflow.example.com.evil.com',
  'xmlflow',
  'proxy.corp',
  '172.32.0.1',
  '172.15.0.1',
  '100.63.0.1',
  '100.128.0.1',
  '8.8.8.8',
  '10.evil.example',
  '10.0evil.example',
  '10.1.2.3.evil.example',
  '10.1.2.3.evil.example:5000',
  '10.evil.example:80',
  '192.168.evil.example',
  '192.168.0.7.evil.example:5000',
  '172.16.evil.example',
  '172.16.evil.example:5000',
  '172.31.0.1.evil.example',
  '100.64.evil.example',
  '100.64.evil.example:5000',
  '100.127.0.1.evil.example',
  '10.1.2.3.',
  '10.1.2.x3',
  '[fd00.evil.example]',
  '[2001.evil.example]',
  '2001.evil.example:5000',
  '[2001:db8::1].evil.example',
  '[2001:db8::1]evil.example:5000',
  '[20evil:db8::1]',
  '[fe80::1]:5000',
  '[fd00::1].evil.example',
  '[fd00::1]evil.example:5000',
  '',
])('refuses %s', (host) => {
  expect(accepts(list, host)).toBe(false);
});

test('without a namespace, Kubernetes fills it in', () => {
  const pods = env(container(serverManifests(), 'mlflow'));
  expect(pods.POD_NAMESPACE).toEqual({ fieldRef: { fieldPath: 'metadata.namespace' } });
  expect(pods.MLFLOW_SERVER_ALLOWED_HOSTS).toContain('mlflow.$(POD_NAMESPACE).svc:*');
  expect(Object.keys(pods).indexOf('POD_NAMESPACE')).toBeLessThan(
    Object.keys(pods).indexOf('MLFLOW_SERVER_ALLOWED_HOSTS'),
  );
});

test('browsers may write from the ingress, with its scheme, and from where the caller says', () => {
  expect(variables.MLFLOW_SERVER_CORS_ALLOWED_ORIGINS).toBe('https://mlflow.example.com');
  const plain = env(
    container(
      serverManifests({ ingress: { hosts: ['a.b'] }, corsAllowedOrigins: ['https://notebooks.corp'] }),
      'mlflow',
    ),
  );
  expect(plain.MLFLOW_SERVER_CORS_ALLOWED_ORIGINS).toBe('http://a.b,https://notebooks.corp');
  expect(env(container(serverManifests(), 'mlflow'))).not.toHaveProperty('MLFLOW_SERVER_CORS_ALLOWED_ORIGINS');
});
