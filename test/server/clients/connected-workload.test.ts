import { ApiObject, App, Chart, Cron, Testing } from 'cdk8s';
import {
  AwsIdentity,
  FileSource,
  MlflowLogin,
  MlflowServer,
  type MlflowServerProps,
  S3Artifacts,
  SecretKey,
  TlsCertificate,
} from 'cdk8s-mlflow';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { anyBackend, chart, containerOf, env, type Manifest, only, server } from '../../support/synth';

const containers = [{ name: 'main', image: 'client:1' }];
const WORKLOADS: Record<string, (scope: Construct) => Construct> = {
  Deployment: (scope) => new kplus.Deployment(scope, 'client', { containers }),
  StatefulSet: (scope) =>
    new kplus.StatefulSet(scope, 'client', {
      containers,
      service: new kplus.Service(scope, 's', { ports: [{ port: 1 }] }),
    }),
  DaemonSet: (scope) => new kplus.DaemonSet(scope, 'client', { containers }),
  Job: (scope) => new kplus.Job(scope, 'client', { containers }),
  CronJob: (scope) => new kplus.CronJob(scope, 'client', { containers, schedule: Cron.daily() }),
  Pod: (scope) => new kplus.Pod(scope, 'client', { containers }),
  ReplicaSet: (scope) =>
    new ApiObject(scope, 'client', {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      spec: { template: { spec: { containers } } },
    }),
};

function podOf({ kind, metadata, spec }: Manifest): Manifest {
  const pod = kind === 'Pod' ? { metadata, spec } : (spec.jobTemplate?.spec ?? spec).template;
  return { labels: pod.metadata?.labels, ...pod.spec };
}

/** The pod of a client, and all manifests. */
function connected(
  kind: string,
  props: Partial<MlflowServerProps> = {},
  options?: Parameters<MlflowServer['connect']>[1],
): { pod: Manifest; manifests: Manifest[] } {
  const scope = chart('ml');
  server(scope, props).connect(WORKLOADS[kind]?.(scope) ?? scope, options);
  const manifests = Testing.synth(scope);
  const client = manifests.filter((each) => each.kind === kind && each.metadata.name !== 'mlflow');
  return { pod: podOf(client[0]), manifests };
}

test.each(Object.keys(WORKLOADS))('the pods of a %s get the address, and nothing else from the server', (kind) => {
  const { pod } = connected(kind);
  expect(env(containerOf(pod, 'main'))).toMatchObject({ MLFLOW_TRACKING_URI: 'http://mlflow.ml:5000' });
  expect(pod.enableServiceLinks).toBe(false);
  expect(pod.labels).toMatchObject({ 'mlflow-client': 'true' });
});

test('the rest of a workload stays as it is', () => {
  const manifestOf = (connects: boolean): Manifest => {
    const scope = chart('ml');
    const workload = new kplus.Deployment(scope, 'client', { containers });
    const mlflow = server(scope);
    if (connects) {
      mlflow.connect(workload);
    }
    return Testing.synth(scope).find(({ metadata }) => metadata.name.startsWith('chart-client'));
  };
  const changed = manifestOf(true);
  const { spec, metadata } = changed.spec.template;
  delete spec.enableServiceLinks;
  delete metadata.labels['mlflow-client'];
  delete spec.containers[0].env;
  expect(changed).toEqual(manifestOf(false));
});

test('a login, and the CA of a server with a certificate', () => {
  const { pod } = connected(
    'Job',
    { certificate: TlsCertificate.fromSecretName('tls') },
    {
      login: MlflowLogin.fromSecretName('ci', { usernameKey: 'user' }),
      ca: FileSource.fromConfigMap('ca', 'root.pem'),
    },
  );
  const main = containerOf(pod, 'main');
  expect(env(main)).toEqual({
    MLFLOW_TRACKING_URI: 'https://mlflow.ml:5000',
    MLFLOW_TRACKING_USERNAME: { secretKeyRef: { name: 'ci', key: 'user' } },
    MLFLOW_TRACKING_PASSWORD: { secretKeyRef: { name: 'ci', key: 'password' } },
    MLFLOW_TRACKING_SERVER_CERT_PATH: '/etc/mlflow-ca/ca.crt',
  });
  expect(main.volumeMounts).toContainEqual({ mountPath: '/etc/mlflow-ca', name: 'mlflow-ca', readOnly: true });
  expect(pod.volumes).toContainEqual(
    expect.objectContaining({ name: 'mlflow-ca', configMap: expect.objectContaining({ name: 'ca' }) }),
  );
});

test('a token', () => {
  const { pod } = connected('Job', {}, { login: MlflowLogin.fromToken(SecretKey.fromSecretName('idp', 'token')) });
  expect(env(containerOf(pod, 'main')).MLFLOW_TRACKING_TOKEN).toEqual({ secretKeyRef: { name: 'idp', key: 'token' } });
});

test('containers that are added later, and only those that are named', () => {
  const scope = chart('ml');
  const workload = new kplus.Deployment(scope, 'client', { containers });
  server(scope).connect(workload, { containers: ['late', 'setup'] });
  workload.addContainer({ name: 'late', image: 'client:1', envVariables: { A: kplus.EnvValue.fromValue('1') } });
  workload.addInitContainer({ name: 'setup', image: 'client:1' });
  const { template } = only(
    Testing.synth(scope).filter(({ metadata }: Manifest) => metadata.name !== 'mlflow'),
    'Deployment',
  ).spec;
  expect(containerOf(template.spec, 'main').env).toBeUndefined();
  expect(env(containerOf(template.spec, 'setup'))).toEqual({ MLFLOW_TRACKING_URI: 'http://mlflow.ml:5000' });
  expect(env(containerOf(template.spec, 'late'))).toEqual({ A: '1', MLFLOW_TRACKING_URI: 'http://mlflow.ml:5000' });
});

test('variables that a container has itself remain', () => {
  const scope = chart('ml');
  const envVariables = { MLFLOW_TRACKING_URI: kplus.EnvValue.fromValue('https://mlflow.example.com') };
  const workload = new kplus.Job(scope, 'client', { containers: [{ name: 'main', image: 'client:1', envVariables }] });
  server(scope).connect(workload);
  const job = only(Testing.synth(scope), 'Job');
  expect(env(containerOf(job.spec.template.spec, 'main')).MLFLOW_TRACKING_URI).toBe('https://mlflow.example.com');
});

/** Whom the policy of the server lets in at its port. */
function letIn(manifests: Manifest[]): Manifest[] {
  return only(manifests, 'NetworkPolicy', 'mlflow').spec.ingress.flatMap((rule: Manifest) => rule.from);
}

test('an isolated server lets its clients in, by their label', () => {
  const { manifests } = connected('CronJob', { isolation: { clients: [] } });
  expect(letIn(manifests)).toEqual([{ podSelector: { matchLabels: { 'mlflow-client': 'true' } } }]);
});

test('a client of another namespace, and of another chart', () => {
  const app = new App({ outdir: Testing.app().outdir });
  const data = new Chart(app, 'data', { namespace: 'data' });
  const teams = new Chart(app, 'teams', { namespace: 'teams' });
  const workload = new kplus.Job(teams, 'client', { containers });
  server(data, { isolation: { clients: [] } }).connect(workload);
  app.synth();
  expect(env(containerOf(only(teams.toJson(), 'Job').spec.template.spec, 'main')).MLFLOW_TRACKING_URI).toBe(
    'http://mlflow.data:5000',
  );
  expect(letIn(data.toJson())).toEqual([
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'teams' } },
      podSelector: { matchLabels: { 'mlflow-client': 'true' } },
    },
  ]);
});

test('a server that is elsewhere', () => {
  const scope = chart('ml');
  const workload = new kplus.Job(scope, 'client', { containers });
  MlflowServer.fromAttributes(scope, 'elsewhere', {
    serverName: 'tracking',
    serverNamespace: 'mlops',
    https: true,
    staticPrefix: '/mlflow',
    backend: anyBackend(scope),
    artifactRoot: new S3Artifacts({ bucket: 'models', region: 'eu-west-1', identity: AwsIdentity.ambient() }),
  }).connect(workload);
  const { spec, metadata } = only(Testing.synth(scope), 'Job').spec.template;
  expect(env(containerOf(spec, 'main')).MLFLOW_TRACKING_URI).toBe('https://tracking.mlops:5000/mlflow');
  expect(metadata.labels).toMatchObject({ 'tracking-client': 'true' });
});

describe('says what is wrong:', () => {
  test('all of it at once', () => {
    const scope = chart('ml');
    const mlflow = new MlflowServer(chart(), 'mlflow', { backend: anyBackend(chart()) });
    const workload = new kplus.Job(scope, 'client', { containers });
    expect(() => {
      mlflow.connect(workload, {
        containers: [],
        ca: FileSource.fromSecret('ca', 'ca.crt'),
        login: MlflowLogin.fromSecretName('Not a name'),
      });
    }).toThrow(
      new Error(
        [
          '[chart/client] `login` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Not a name".',
          '[chart/client] `containers` must name at least one container, got none. Leave it out for all.',
          '[chart/client] `ca` must be left out: the server answers by HTTP. Give the server a `certificate`.',
          '[chart/client] `workload` is in the namespace "ml", and the server\'s is not known. Give the chart of the server a `namespace`.',
        ].join('\n'),
      ),
    );
  });

  test('a workload without pods', () => {
    const scope = chart('ml');
    const mlflow = server(scope);
    const service = new kplus.Service(scope, 'client', { ports: [{ port: 80 }] });
    mlflow.connect(service);
    expect(() => Testing.synth(scope)).toThrow('[chart/client] `workload` of connect() must have pods, got Service.');
  });

  test('a container that it has not', () => {
    const scope = chart('ml');
    server(scope).connect(new kplus.Job(scope, 'client', { containers }), { containers: ['mian'] });
    expect(() => Testing.synth(scope)).toThrow(
      '[chart/client] `containers` of connect() must be of the workload (main), got "mian".',
    );
  });

  test('two servers', () => {
    const scope = chart('ml');
    const workload = new kplus.Job(scope, 'client', { containers });
    const backend = anyBackend(scope);
    server(scope, { backend }, 'a').connect(workload);
    expect(() => {
      server(scope, { backend }, 'b').connect(workload);
    }).toThrow('[chart/client] `workload` must be connected once, got "a" before "b".');
  });

  test('a Secret of another namespace', () => {
    const app = new App({ outdir: Testing.app().outdir });
    const data = new Chart(app, 'data', { namespace: 'data' });
    new kplus.Secret(data, 'login', { metadata: { name: 'ci' } });
    const workload = new kplus.Job(new Chart(app, 'teams', { namespace: 'teams' }), 'client', { containers });
    server(data).connect(workload, { login: MlflowLogin.fromSecretName('ci') });
    expect(() => {
      app.synth();
    }).toThrow(/same-namespace: pods in the namespace "teams" need "ci" \(Secret\)/);
  });
});
