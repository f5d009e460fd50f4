import { Duration } from 'cdk8s';
import { PersistentVolumeAccessMode, Replicas } from 'cdk8s-plus-28';
import {
  Autoscaling,
  type MlflowServerProps,
  Persistence,
  type ResourceScalingOptions,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { chart, type Manifest, only, server, serverManifests } from '../../support/synth';

const artifactRoot = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});

const synth = (options: ResourceScalingOptions): Manifest[] =>
  serverManifests({ autoscaling: Autoscaling.byResources(options), artifactRoot });

test('sets the number of pods, which the Deployment then leaves alone', () => {
  const manifests = synth({ maxReplicas: 5 });
  expect(only(manifests, 'Deployment').spec).not.toHaveProperty('replicas');
  expect(only(manifests, 'HorizontalPodAutoscaler').spec).toMatchObject({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'mlflow' },
    minReplicas: 2,
    maxReplicas: 5,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }],
  });
});

test('takes targets and behaviour', () => {
  const { spec } = only(
    synth({
      minReplicas: 3,
      maxReplicas: 4,
      cpuPercent: 60,
      memoryPercent: 90,
      scaleDown: { policies: [{ replicas: Replicas.absolute(1), duration: Duration.minutes(2) }] },
    }),
    'HorizontalPodAutoscaler',
  );
  expect([spec.minReplicas, spec.maxReplicas]).toEqual([3, 4]);
  expect(spec.metrics.map((m: Manifest) => [m.resource.name, m.resource.target.averageUtilization])).toEqual([
    ['cpu', 60],
    ['memory', 90],
  ]);
  expect(spec.behavior.scaleDown.policies).toEqual([{ type: 'Pods', value: 1, periodSeconds: 120 }]);
});

test.each<[Partial<MlflowServerProps>, string]>([
  [
    { autoscaling: Autoscaling.byResources({ minReplicas: 0, maxReplicas: 2 }) },
    '`autoscaling.minReplicas` must be a whole number from 1, got 0.',
  ],
  [
    { autoscaling: Autoscaling.byResources({ maxReplicas: 2, cpuPercent: 0 }) },
    '`autoscaling.cpuPercent` must be a whole number from 1, got 0.',
  ],
  [
    { autoscaling: Autoscaling.byResources({ maxReplicas: 2, memoryPercent: 1.5 }) },
    '`autoscaling.memoryPercent` must be a whole number from 1, got 1.5.',
  ],
])('%#: refuses what cannot be', (props, message) => {
  expect(() => server(chart(), { artifactRoot, ...props })).toThrow(new Error(`[chart/mlflow] ${message}`));
});
