import { Cron, Duration, Testing } from 'cdk8s';
import {
  ArtifactVisibility,
  type IArtifactStore,
  type IPostgresBackend,
  MlflowGarbageCollection,
  type MlflowServerProps,
} from 'cdk8s-mlflow';
import { Construct } from 'constructs';

import { edges } from '../support/edges';
import { anyBackend, chart, container, containerOf, env, type Manifest, only, server } from '../support/synth';

import { ARTIFACT_STORES, type Make, OWN_STORE } from './registered';

const CASES: [string, Make<IArtifactStore>][] = [
  ...Object.entries(ARTIFACT_STORES).flatMap(([name, makers]) =>
    Object.entries(makers).map(([how, make]): [string, Make<IArtifactStore>] => [`${name} ${how}`, make]),
  ),
  ['a store of the user', () => OWN_STORE],
];

const SEES_ONE = { [ArtifactVisibility.POD]: 'pod', [ArtifactVisibility.NODE]: 'node' };

describe.each(CASES)('%s', (_, newStore) => {
  const location = newStore(chart()).bind(new Construct(chart(), 'mlflow'));
  const { visibility, envVariables = {}, volumeMounts = [] } = location;
  const isFolder = location.destination.startsWith('/');

  function synth(props: Partial<MlflowServerProps> = {}, collect = false): Manifest[] {
    const scope = chart();
    const backend: IPostgresBackend = anyBackend(scope);
    const made = server(scope, { backend, artifactRoot: newStore(scope), ...props });
    if (collect) {
      new MlflowGarbageCollection(scope, 'gc', { server: made, schedule: Cron.daily(), olderThan: Duration.days(30) });
    }
    return Testing.synth(scope);
  }

  test('is where the server writes, which alone has what it takes', () => {
    const manifests = synth();
    const mlflow = container(manifests, 'mlflow');
    expect(mlflow.args).toContain(`--artifacts-destination=${location.destination}`);
    expect(Object.keys(env(mlflow))).toEqual(expect.arrayContaining(Object.keys(envVariables)));
    const paths = volumeMounts.map(({ path }) => path);
    const mounted = (of: Manifest): string[] => of.volumeMounts.map((mount: Manifest) => mount.mountPath);
    expect(mounted(mlflow)).toEqual(expect.arrayContaining(paths));
    const other = container(manifests, 'init-mlflow');
    expect(Object.keys(env(other)).filter((each) => each in envVariables)).toEqual([]);
    expect(mounted(other).filter((each) => paths.includes(each))).toEqual([]);
  });

  test('is what new experiments get, whoever makes the first', () => {
    const manifests = synth();
    for (const name of ['mlflow', 'init-mlflow']) {
      expect(env(container(manifests, name)).MLFLOW_DEFAULT_ARTIFACT_ROOT).toBe(
        location.defaultArtifactRoot ?? 'mlflow-artifacts:/',
      );
    }
  });

  test('has its secrets from Secrets', () => {
    const secrets = Object.entries(env(container(synth(), 'mlflow'))).filter(
      ([name]) => name in envVariables && /SECRET|ACCESS_KEY|CONNECTION_STRING/.test(name),
    );
    for (const [, value] of secrets) {
      expect(value).toEqual({ secretKeyRef: { name: expect.any(String), key: expect.any(String) } });
    }
  });

  test('gives its identity to the ServiceAccount, and its labels to the pods', () => {
    const manifests = synth();
    expect(only(manifests, 'ServiceAccount').metadata.annotations).toEqual(location.serviceAccountAnnotations);
    expect(only(manifests, 'Deployment').spec.template.metadata.labels).toMatchObject(location.podLabels ?? {});
  });

  test('takes as many pods as see it', () => {
    const two = (): Manifest[] => synth({ replicas: 2 });
    if (visibility === ArtifactVisibility.CLUSTER) {
      expect(only(two(), 'Deployment').spec.replicas).toBe(2);
    } else {
      expect(two).toThrow(
        new Error(
          `[chart/mlflow] \`replicas\` must be at most 1 with artifacts that only one ${SEES_ONE[visibility]} can access, got 2. Use a volume with READ_WRITE_MANY, or an object store, as \`artifactRoot\`.`,
        ),
      );
    }
  });

  test('can be reached by an isolated server', () => {
    const outward = edges(synth({ isolation: {} }), 'mlflow').filter((edge) => edge.startsWith('out'));
    expect(outward.slice(2)).toEqual(isFolder ? [] : expect.arrayContaining(['out 443/TCP to anybody']));
  });

  test('can be cleaned up, where another pod sees it', () => {
    if (visibility === ArtifactVisibility.POD) {
      expect(() => synth({}, true)).toThrow(
        new Error(
          '[chart/gc] `server` must not keep its artifacts in its pod, where no other pod can delete them. Give it a volume with a claim, or an object store, as `artifactRoot`.',
        ),
      );
      return;
    }
    const pod = only(synth({}, true), 'CronJob').spec.jobTemplate.spec.template.spec;
    const collector = containerOf(pod, 'collect-garbage');
    expect(env(collector).ARTIFACTS_DESTINATION).toBe(location.destination);
    expect(Object.keys(env(collector))).toEqual(expect.arrayContaining(Object.keys(envVariables)));
    expect(pod.serviceAccountName).toBe('mlflow');
  });
});
