import { Duration } from 'cdk8s';
import { PersistentVolumeAccessMode, Replicas } from 'cdk8s-plus-28';
import { type MlflowServerProps, Persistence, UpgradeStrategy, VolumeArtifacts } from 'cdk8s-mlflow';

import { chart, container, type Manifest, only, podOf, server, serverManifests } from '../support/synth';

const artifactRoot = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});
const selector = {
  matchLabels: {
    'app.kubernetes.io/name': 'mlflow',
    'app.kubernetes.io/instance': 'mlflow',
    'app.kubernetes.io/component': 'server',
  },
};
const rolling = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };

describe('two replicas', () => {
  const manifests = serverManifests({ replicas: 2, artifactRoot });

  test('may lose one pod at a time to maintenance', () => {
    expect(only(manifests, 'PodDisruptionBudget')).toMatchObject({
      metadata: { name: 'mlflow' },
      spec: { maxUnavailable: 1, selector },
    });
  });

  test('are spread over nodes and zones, on any node rather than none', () => {
    expect(podOf(manifests).topologySpreadConstraints).toEqual([
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: selector,
      },
      {
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: selector,
      },
    ]);
  });

  test('roll without a gap, and finish what they began', () => {
    expect(only(manifests, 'Deployment').spec.strategy).toEqual(rolling);
    expect(container(manifests, 'mlflow').lifecycle).toEqual({ preStop: { exec: { command: ['sleep', '5'] } } });
    expect(podOf(manifests).terminationGracePeriodSeconds).toBe(60);
  });
});

test('one replica has nothing of it', () => {
  const manifests = serverManifests();
  expect(manifests.filter((m) => m.kind === 'PodDisruptionBudget')).toEqual([]);
  expect(podOf(manifests)).not.toHaveProperty('topologySpreadConstraints');
});

describe('autoscaling', () => {
  const synth = (autoscaling: MlflowServerProps['autoscaling'], more: Partial<MlflowServerProps> = {}): Manifest[] =>
    serverManifests({ autoscaling, artifactRoot, ...more });

  test('sets the number of pods, which the Deployment then leaves alone', () => {
    const manifests = synth({ maxReplicas: 5 });
    expect(only(manifests, 'Deployment').spec).not.toHaveProperty('replicas');
    expect(only(manifests, 'HorizontalPodAutoscaler').spec).toMatchObject({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'mlflow' },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    });
    only(manifests, 'PodDisruptionBudget');
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
    [{ autoscaling: { maxReplicas: 1 } }, '`autoscaling.maxReplicas` must be a whole number from 2, got 1.'],
    [
      { autoscaling: { minReplicas: 0, maxReplicas: 2 } },
      '`autoscaling.minReplicas` must be a whole number from 1, got 0.',
    ],
    [
      { autoscaling: { maxReplicas: 2, cpuPercent: 0 } },
      '`autoscaling.cpuPercent` must be a whole number from 1, got 0.',
    ],
    [
      { autoscaling: { maxReplicas: 2, memoryPercent: 1.5 } },
      '`autoscaling.memoryPercent` must be a whole number from 1, got 1.5.',
    ],
    [
      { autoscaling: { maxReplicas: 2 }, replicas: 2 },
      '`replicas` must be left out with `autoscaling`, got 2. Use `autoscaling.minReplicas`.',
    ],
    [
      { autoscaling: { maxReplicas: 4 }, artifactRoot: new VolumeArtifacts() },
      '`autoscaling.maxReplicas` must be at most 1 with artifacts that only one node can see, got 4. Use a volume with READ_WRITE_MANY, or an object store, as `artifactRoot`.',
    ],
  ])('%#: refuses %j', (props, message) => {
    expect(() => server(chart(), { artifactRoot, ...props })).toThrow(new Error(`[chart/mlflow] ${message}`));
  });
});

test('an upgrade may stop the old pods first', () => {
  const strategy = (props: Partial<MlflowServerProps>) => only(serverManifests(props), 'Deployment').spec.strategy;
  expect(strategy({ artifactRoot })).toEqual(rolling);
  expect(strategy({ artifactRoot, upgradeStrategy: UpgradeStrategy.RECREATE })).toEqual({ type: 'Recreate' });
  expect(() => strategy({ upgradeStrategy: UpgradeStrategy.ROLLING })).toThrow(
    new Error(
      '[chart/mlflow] `upgradeStrategy` must not be ROLLING with artifacts that only one node can see, got "rolling". The second pod could wait for the volume for ever. Use a volume with READ_WRITE_MANY, or leave it out.',
    ),
  );
});
