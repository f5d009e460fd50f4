import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import {
  ExistingSecretPostgres,
  MlflowServer,
  type MlflowServerProps,
  Persistence,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { chart, only, server, serverManifests } from '../support/synth';

import { AUTOSCALING } from './registered';

const artifactRoot = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});

describe.each(Object.entries(AUTOSCALING))('Autoscaling.%s', (_, scaling) => {
  test('sets the number of pods of the Deployment, which leaves it alone', () => {
    const manifests = serverManifests({ autoscaling: scaling(5), artifactRoot });
    expect(only(manifests, 'Deployment', 'mlflow').spec).not.toHaveProperty('replicas');
    const scalers = manifests.filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind));
    expect(scalers).toHaveLength(1);
    const [{ metadata, spec }] = scalers;
    expect(metadata.name).toBe('mlflow');
    expect(spec.scaleTargetRef).toMatchObject({ name: 'mlflow' });
    expect([spec.minReplicas ?? spec.minReplicaCount, spec.maxReplicas ?? spec.maxReplicaCount]).toEqual([2, 5]);
  });

  test('keeps pods through maintenance', () => {
    const { spec } = only(serverManifests({ autoscaling: scaling(2), artifactRoot }), 'PodDisruptionBudget');
    expect(spec.maxUnavailable).toBe(1);
  });

  test('is counted with its most pods', () => {
    const scope = chart();
    const backend = new ExistingSecretPostgres(scope, 'postgres', {
      host: 'db',
      secretName: 'login',
      maxConnections: 100,
    });
    new MlflowServer(scope, 'mlflow', { backend, artifactRoot, autoscaling: scaling(5) });
    expect(scope.node.children.flatMap(({ node }) => node.validate())).toEqual([
      'pool-fits-database: up to 264 connections (6 pods x 44 with 2 workers) exceed the 97 that "postgres" offers. Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between. The largest pool that fits is 3 + 1.',
    ]);
  });

  test.each<[Partial<MlflowServerProps>, string]>([
    [{ autoscaling: scaling(1) }, '`autoscaling.maxReplicas` must be a whole number from 2, got 1.'],
    [{ replicas: 2 }, '`replicas` must be left out with `autoscaling`, got 2. Use `autoscaling.minReplicas`.'],
    [
      { artifactRoot: new VolumeArtifacts() },
      '`autoscaling.maxReplicas` must be at most 1 with artifacts that only one node can access, got 4. Use a volume with READ_WRITE_MANY, or an object store, as `artifactRoot`.',
    ],
  ])('%#: refuses what cannot be', (props, message) => {
    expect(() => server(chart(), { artifactRoot, autoscaling: scaling(4), ...props })).toThrow(
      new Error(`[chart/mlflow] ${message}`),
    );
  });
});
