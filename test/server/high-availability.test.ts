import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import { type MlflowServerProps, Persistence, UpgradeStrategy, VolumeArtifacts } from 'cdk8s-mlflow';

import { container, only, podOf, serverManifests } from '../support/synth';

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

test('an upgrade may stop the old pods first', () => {
  const strategy = (props: Partial<MlflowServerProps>) => only(serverManifests(props), 'Deployment').spec.strategy;
  expect(strategy({ artifactRoot })).toEqual(rolling);
  expect(strategy({ artifactRoot, upgradeStrategy: UpgradeStrategy.RECREATE })).toEqual({ type: 'Recreate' });
  expect(() => strategy({ upgradeStrategy: UpgradeStrategy.ROLLING })).toThrow(
    new Error(
      '[chart/mlflow] `upgradeStrategy` must not be ROLLING with artifacts that only one node can access, got "rolling". The second pod could wait for the volume forever. Use a volume with READ_WRITE_MANY, or leave it out.',
    ),
  );
});
