import { Testing } from 'cdk8s';
import { ConfigMap, EnvValue, Secret, ServiceAccount, Volume } from 'cdk8s-plus-28';

import { labelsOf } from '../../../lib/kube/pod/labels';
import { container, type Pod, type PodInput, podOf } from '../../../lib/kube/pod/pod';
import type { PodPart } from '../../../lib/kube/pod/pod-part';
import { Problems } from '../../../lib/validation/problems';

const scope = Testing.chart();
const text = (value: string): EnvValue => EnvValue.fromValue(value);

function sum(parts: PodPart[], input: Partial<PodInput> = {}): Pod {
  const problems = new Problems(scope);
  return problems.finish(() =>
    podOf(problems, labelsOf('app', 'it', 'work'), {
      containers: [container('work', parts, { image: 'it:1' })],
      ...input,
    }),
  );
}

test('a pod is the sum of its parts', () => {
  const sidecar = { name: 'proxy', image: 'proxy:1' };
  const volume = Volume.fromEmptyDir(scope, 'volume', 'files');
  const route = { ports: [5432] };
  const database: PodPart = {
    of: 'backend',
    envVariables: { PGHOST: text('db') },
    volumeMounts: [{ path: '/files', volume }],
    sidecars: [sidecar],
    podLabels: { client: 'true' },
    podAnnotations: { revision: 'a' },
    serviceAccountAnnotations: { role: 'r' },
    routes: [route],
  };
  const login: PodPart = { of: 'auth', envVariables: { KEY: text('k') }, podAnnotations: { revision: 'b' } };
  const pod = sum([login], { initContainers: [container('wait', [database], { image: 'it:1' })] });
  expect(pod.initContainers.map(({ name }) => name)).toEqual(['proxy', 'wait']);
  expect(pod.initContainers[1]?.volumeMounts).toEqual([{ path: '/files', volume }]);
  expect(pod.containers[0]?.envVariables).toEqual({ KEY: text('k') });
  expect(pod.podLabels).toMatchObject({ client: 'true', 'app.kubernetes.io/name': 'app' });
  expect(pod.podAnnotations).toEqual({ revision: 'a-b' });
  expect(pod.serviceAccountAnnotations).toEqual({ role: 'r' });
  expect(pod.routes).toEqual([route]);
});

test.each<[string, PodPart[], Partial<PodInput>, string]>([
  [
    'a variable',
    [
      { of: 'backend', envVariables: { PGHOST: text('db') } },
      { of: 'artifactRoot', envVariables: { PGHOST: text('other') } },
    ],
    {},
    '`artifactRoot.PGHOST` must not be set: the library sets it itself. Use `backend`.',
  ],
  [
    'an identity',
    [
      { of: 'backend', serviceAccountAnnotations: { role: 'a' } },
      { of: 'artifactRoot', serviceAccountAnnotations: { role: 'b' } },
    ],
    {},
    '`artifactRoot` must have the identity of `backend`, a (role), got "b". A pod has one ServiceAccount: give one account the rights of both.',
  ],
  [
    'a label of the pod',
    [{ of: 'backend', podLabels: { 'app.kubernetes.io/name': 'other' } }],
    {},
    '`backend` must not set the pod label app.kubernetes.io/name to other: `id` sets it to app.',
  ],
  [
    'a volume',
    [
      { volumeMounts: [{ path: '/a', volume: Volume.fromEmptyDir(scope, 'tmp', 'tmp') }] },
      { of: 'artifactRoot', volumeMounts: [{ path: '/b', volume: Volume.fromEmptyDir(scope, 'other-tmp', 'tmp') }] },
    ],
    {},
    '`artifactRoot` must not have a volume "tmp": the library has one of that name. Give it another name.',
  ],
  [
    'a path',
    [
      { of: 'backend', volumeMounts: [{ path: '/a', volume: Volume.fromEmptyDir(scope, 'one', 'one') }] },
      { of: 'artifactRoot', volumeMounts: [{ path: '/a', volume: Volume.fromEmptyDir(scope, 'two', 'two') }] },
    ],
    {},
    '`artifactRoot: a volume at /a` must not be set: the library sets it itself. Use `backend`.',
  ],
  [
    'a path in one part',
    [
      {
        of: 'artifactRoot',
        volumeMounts: [
          { path: '/a', volume: Volume.fromEmptyDir(scope, 'three', 'three') },
          { path: '/a', volume: Volume.fromEmptyDir(scope, 'four', 'four') },
        ],
      },
    ],
    {},
    '`artifactRoot` must not mount two volumes at /a. Give each a path of its own.',
  ],
  [
    'a ServiceAccount',
    [{ of: 'backend', serviceAccountAnnotations: { role: 'a' } }],
    { serviceAccount: ServiceAccount.fromServiceAccountName(scope, 'own', 'own') },
    '`serviceAccount` must not be set if `backend` has an identity for the ServiceAccount. Leave it out, or annotate your own ServiceAccount and give `backend` ambient credentials.',
  ],
])('parts that disagree on %s are named by their props', (_, parts, input, message) => {
  expect(() => sum(parts, input)).toThrow(new Error(`[${scope.node.path}] ${message}`));
});

test('parts that agree are no problem, and what a caller adds is the caller’s to change', () => {
  const same = { envVariables: { A: text('1') } };
  expect(sum([same, { of: 'b', envVariables: { A: text('1') } }]).containers[0]?.envVariables).toEqual({
    A: text('1'),
  });
  const parts = [
    { of: 'extraEnvVars', isExtra: true, envVariables: { A: text('2') } },
    { of: 'pooling', ...same },
  ];
  expect(() => sum(parts)).toThrow('`extraEnvVars.A` must not be set: the library sets it itself. Use `pooling`.');
});

test('says what is wrong with a reference that JavaScript made', () => {
  const number = 5432 as unknown as string;
  const [configMap, secret] = [
    ConfigMap.fromConfigMapName(scope, 'config-map', number),
    Secret.fromSecretName(scope, 'reference', 'login'),
  ];
  const part = {
    of: 'extraEnvVars',
    envVariables: { HOST: EnvValue.fromConfigMap(configMap, 'host'), USER: secret.envValue(number) },
  };
  expect(() => sum([part])).toThrow(
    new Error(
      '[test] `extraEnvVars.HOST` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got 5432.',
    ),
  );
  expect(() => sum([{ of: 'extraEnvVars', envVariables: { USER: secret.envValue(number) } }])).toThrow(
    new Error(
      '[test] `extraEnvVars.USER` must be a key of a Secret (letters, digits, dashes, dots and underscores), got 5432.',
    ),
  );
});
