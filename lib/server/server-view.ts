import type { ArtifactLocation } from '../artifacts/artifact-store';
import type { ObjectLabels } from '../kube/pod/labels';

import type { AuthParts } from './auth/auth-parts';
import type { MlflowServerProps } from './mlflow-server-props';

/** What the care for a server has to know of it. */
export interface ServerView {
  readonly props: MlflowServerProps;
  readonly labels: ObjectLabels;
  readonly artifacts: ArtifactLocation;
  readonly auth: AuthParts;
}
