import { Chart, Duration, Testing } from 'cdk8s';
import {
  FileSource,
  MlflowExperiment,
  MlflowLogin,
  MlflowObjects,
  type MlflowObjectsProps,
  MlflowServer,
  type MlflowServerProps,
  MlflowServiceUser,
  MlflowUser,
  NetworkPeer,
  SecretKey,
  TlsCertificate,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { edges } from '../support/edges';
import { anyBackend, chart, containerOf, env, type Manifest, only, server } from '../support/synth';

import { basicAuth, declared, jobOf, objectsIn } from './declared';

function synth(props: Partial<MlflowObjectsProps> = {}, of: Partial<MlflowServerProps> = {}): Manifest[] {
  const scope = chart('ml');
  const objects = new MlflowObjects(scope, 'objects', { server: server(scope, of), ...props });
  new MlflowExperiment(scope, 'churn', { objects });
  return Testing.synth(scope);
}

const variables = (manifests: Manifest[]): Record<string, Manifest> =>
  env(containerOf(jobOf(manifests), 'apply-objects'));

test('the Job is a client of the server', () => {
  const manifests = synth();
  const pod = jobOf(manifests);
  expect(variables(manifests)).toEqual({
    MLFLOW_TRACKING_URI: 'http://mlflow.ml:5000',
    HOME: '/tmp',
    OBJECTS_FILE: '/etc/mlflow-objects/objects.json',
    OBJECTS_DRY_RUN: 'false',
    OBJECTS_WAIT_SECONDS: '600',
  });
  expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false, restartPolicy: 'Never' });
  expect(manifests.map(({ kind }) => kind)).not.toContain('Role');
  expect(manifests.map(({ kind }) => kind)).not.toContain('NetworkPolicy');
});

test('the login of the first administrator', () => {
  expect(variables(synth({}, basicAuth({ adminUsername: 'root' })))).toMatchObject({
    MLFLOW_TRACKING_USERNAME: 'root',
    MLFLOW_TRACKING_PASSWORD: { secretKeyRef: { name: 'auth', key: 'admin' } },
  });
  expect(variables(synth({}, basicAuth()))).toMatchObject({ MLFLOW_TRACKING_USERNAME: 'admin' });
});

test('a login of its own, a CA, a dry run and a deadline', () => {
  const manifests = synth(
    {
      login: MlflowLogin.fromSecretName('root'),
      ca: FileSource.fromSecret('tls', 'ca.crt'),
      dryRun: true,
      deadline: Duration.minutes(1),
    },
    { ...basicAuth(), certificate: TlsCertificate.fromSecretName('tls') },
  );
  expect(variables(manifests)).toMatchObject({
    MLFLOW_TRACKING_URI: 'https://mlflow.ml:5000',
    MLFLOW_TRACKING_USERNAME: { secretKeyRef: { name: 'root', key: 'username' } },
    MLFLOW_TRACKING_SERVER_CERT_PATH: '/etc/mlflow-ca/ca.crt',
    OBJECTS_DRY_RUN: 'true',
    OBJECTS_WAIT_SECONDS: '60',
  });
});

test('a dry run that finds a change is not tried again', () => {
  const { spec } = only(synth(), 'Job');
  expect(spec.podFailurePolicy.rules).toMatchObject([
    { action: 'FailJob', onExitCodes: { containerName: 'apply-objects', values: [7] } },
  ]);
});

test('a changed declaration is another Job, and the order of the code is not', () => {
  const nameOf = (...names: string[]): string =>
    only(
      declared((scope, objects) => {
        names.forEach((name) => new MlflowExperiment(scope, name, { objects }));
      }),
      'Job',
    ).metadata.name as string;
  expect(nameOf('a', 'b')).toMatch(/^objects-[0-9a-f]{8}$/);
  expect(nameOf('a', 'b')).toBe(nameOf('b', 'a'));
  expect(nameOf('a', 'b')).not.toBe(nameOf('a', 'c'));
});

test('a server that is elsewhere', () => {
  const scope = chart('ml');
  const attributes = {
    serverName: 'tracking',
    serverNamespace: 'shared',
    backend: anyBackend(scope),
    artifactRoot: new VolumeArtifacts(),
    staticPrefix: '/x',
    https: true,
  };
  const objects = new MlflowObjects(scope, 'objects', {
    server: MlflowServer.fromAttributes(scope, 'server', attributes),
    login: MlflowLogin.fromToken(SecretKey.fromSecretName('root', 'token')),
  });
  new MlflowUser(scope, 'ada', { objects, password: SecretKey.fromSecretName('users', 'ada') });
  const manifests = Testing.synth(scope);
  expect(variables(manifests)).toMatchObject({
    MLFLOW_TRACKING_URI: 'https://tracking.shared:5000/x',
    MLFLOW_TRACKING_TOKEN: { secretKeyRef: { name: 'root', key: 'token' } },
    OBJECT_0_PASSWORD: { secretKeyRef: { name: 'users', key: 'ada' } },
  });
  expect(objectsIn(manifests)).toEqual([{ kind: 'user', name: 'ada', variable: 'OBJECT_0_PASSWORD' }]);
});

describe('with isolation', () => {
  const isolation = { clients: [], egress: [{ peers: [NetworkPeer.cidr('192.0.2.0/24')], ports: [9] }] };

  test('it reaches the server, which lets it in', () => {
    const manifests = synth({}, { isolation });
    expect(edges(manifests, 'objects-server')).toEqual([
      'out 53/UDP 53/TCP to k8s-app=kube-dns of metadata.name=kube-system',
      expect.stringMatching(/^out 5000\/TCP to .*component=server/),
      'out 9/TCP to 192.0.2.0/24',
    ]);
    expect(edges(manifests, 'mlflow')).toContainEqual(expect.stringMatching(/^in 5000\/TCP from mlflow-client=true$/));
  });

  test('for service users, the API server of Kubernetes too', () => {
    const scope = chart('ml');
    const objects = new MlflowObjects(scope, 'objects', {
      server: server(scope, { ...basicAuth(), isolation: {} }),
      apiServer: { peers: [NetworkPeer.cidr('10.0.0.1/32')], ports: [6443] },
    });
    ['ci', 'cd'].forEach((id) => new MlflowServiceUser(scope, id, { objects }));
    expect(edges(Testing.synth(scope), 'objects-api-server')).toContain('out 6443/TCP to 10.0.0.1/32');
  });
});

describe('what is wrong', () => {
  test('an invalid prop', () => {
    const scope = chart('ml');
    const props = { server: server(scope), deadline: Duration.seconds(0), apiServer: { peers: [], ports: [0] } };
    expect(() => new MlflowObjects(scope, 'Objects', props)).toThrow(
      new Error(
        [
          '[chart/Objects] `id` must be lower-case letters, digits and dashes, start with a letter and have at most 44 characters, got "Objects". Kubernetes takes it as the name of the Service.',
          '[chart/Objects] `deadline` must be a whole number of seconds from 1, got 0.',
          '[chart/Objects] `apiServer.peers` must name at least one peer, got none. Leave it out for any address.',
          '[chart/Objects] `apiServer.ports[0]` must be a whole number from 1 to 65535, got 0.',
        ].join('\n'),
      ),
    );
  });

  test('no declaration', () => {
    const scope = chart('ml');
    new MlflowObjects(scope, 'objects', { server: server(scope) });
    expect(() => Testing.synth(scope)).toThrow(
      'nothing is declared. Give `objects` to an MlflowExperiment, an MlflowUser or another object, or leave the Job out.',
    );
  });

  test('a chart without a namespace is applied to any', () => {
    const scope = new Chart(Testing.app(), 'chart');
    const objects = new MlflowObjects(scope, 'objects', { server: server(scope) });
    new MlflowExperiment(scope, 'churn', { objects });
    expect(variables(Testing.synth(scope))).toMatchObject({ MLFLOW_TRACKING_URI: 'http://mlflow:5000' });
  });
});
