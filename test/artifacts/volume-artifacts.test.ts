import { Size } from 'cdk8s';
import { Persistence, VolumeArtifacts, type VolumeArtifactsProps } from 'cdk8s-mlflow';

import { container, env, type Manifest, only, podOf, serverManifests } from '../support/synth';

function manifests(props: VolumeArtifactsProps): Manifest[] {
  return serverManifests({ artifactRoot: new VolumeArtifacts(props) });
}

test('a new claim, with what was asked for', () => {
  const persistence = Persistence.newClaim({ size: Size.gibibytes(200), storageClassName: 'nfs' });
  expect(only(manifests({ persistence }), 'PersistentVolumeClaim').spec).toEqual({
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '200Gi' } },
    storageClassName: 'nfs',
    volumeMode: 'Filesystem',
  });
});

test('an existing claim is used, not made', () => {
  const synthesized = manifests({ persistence: Persistence.existingClaim('models') });
  expect(synthesized.filter((m) => m.kind === 'PersistentVolumeClaim')).toEqual([]);
  expect(podOf(synthesized).volumes).toContainEqual({
    name: 'artifacts',
    persistentVolumeClaim: { claimName: 'models', readOnly: false },
  });
});

test('no persistence is a folder of the pod', () => {
  const synthesized = manifests({ persistence: Persistence.none() });
  expect(podOf(synthesized).volumes).toContainEqual({ name: 'artifacts', emptyDir: {} });
});

test('destination and root are the caller’s, the same for the migration that makes the default experiment', () => {
  const synthesized = manifests({
    defaultArtifactsDestination: './mlartifacts',
    defaultArtifactRoot: 'mlflow-artifacts:/team',
  });
  expect(container(synthesized, 'mlflow').args).toContain('--artifacts-destination=/mlflow/artifacts/mlartifacts');
  for (const name of ['mlflow', 'init-mlflow']) {
    expect(env(container(synthesized, name)).MLFLOW_DEFAULT_ARTIFACT_ROOT).toBe('mlflow-artifacts:/team');
  }
});
