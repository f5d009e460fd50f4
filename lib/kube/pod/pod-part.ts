import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../network/network-route';

/** What a connection, an artifact store, a login or an identity adds to each pod that uses it. A pod is the sum of its parts. */
export interface PodPart {
  /** Prop that the part comes from, such as `backend`. Errors name it if two parts disagree. */
  readonly of?: string;
  /** Whether the part comes from a prop for extras, such as `extraEnvVars`. An error about a collision names it. */
  readonly isExtra?: boolean;
  /** Environment variables of each container that lists the part. */
  readonly envVariables?: Record<string, kplus.EnvValue>;
  /** Files of each container that lists the part. */
  readonly volumeMounts?: kplus.VolumeMount[];
  /** Native sidecars of the pod, which start before all other containers. */
  readonly sidecars?: kplus.ContainerProps[];
  readonly podLabels?: Record<string, string>;
  /** Revisions of files and values that containers read at start: a change replaces the pods. Those of several parts are joined. */
  readonly podAnnotations?: Record<string, string>;
  readonly serviceAccountAnnotations?: Record<string, string>;
  /** Network routes of the pod, if it is isolated. */
  readonly routes?: NetworkRoute[];
}
