import { type ArtifactLocation, ArtifactVisibility } from '../artifacts/artifact-store';
import { checkIdentities } from '../identity/pod-identity';
import type { Problems } from '../validation/problems';

import type { MlflowServerProps } from './mlflow-server-props';
import { identitiesOf } from './pod-recipe';
import { UpgradeStrategy } from './upgrade-strategy';

/** What the artifacts ask of the other props of a server. */
export function checkArtifacts(
  problems: Problems,
  props: MlflowServerProps,
  artifacts: ArtifactLocation,
  mostReplicas: number,
): void {
  const { visibility } = artifacts;
  if (mostReplicas > 1 && visibility !== ArtifactVisibility.CLUSTER) {
    problems.add(
      props.autoscaling === undefined ? 'replicas' : 'autoscaling.maxReplicas',
      `must be at most 1 with artifacts that only one ${visibility} can see`,
      mostReplicas,
      'Use a volume with READ_WRITE_MANY, or an object store, as `artifactRoot`.',
    );
  }
  if (props.upgradeStrategy === UpgradeStrategy.ROLLING && visibility === ArtifactVisibility.NODE) {
    problems.add(
      'upgradeStrategy',
      'must not be ROLLING with artifacts that only one node can see',
      props.upgradeStrategy,
      'The second pod could wait for the volume for ever. Use a volume with READ_WRITE_MANY, or leave it out.',
    );
  }
  checkIdentities(problems, props.serviceAccount, ...identitiesOf(props, artifacts));
  for (const name of Object.keys(props.extraEnvVars ?? {}).filter((each) => each in (artifacts.envVariables ?? {}))) {
    problems.reserved(`extraEnvVars.${name}`, 'artifactRoot');
  }
}
