import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../network/network-route';

/** What something brings to each pod that uses it: a connection, an artifact store, a login, an identity. A pod is the sum of its parts. */
export interface PodPart {
  /** The prop that the part comes from, such as `backend`. Errors name it where two parts disagree. */
  readonly of?: string;
  /** Whether the caller adds the part to those of the library, so that a collision is the caller's. */
  readonly isExtra?: boolean;
  /** Environment variables of each container that lists the part. */
  readonly envVariables?: Record<string, kplus.EnvValue>;
  /** Files of each container that lists the part. */
  readonly volumeMounts?: kplus.VolumeMount[];
  /** Native sidecars of the pod: they start before all other containers. */
  readonly sidecars?: kplus.ContainerProps[];
  readonly podLabels?: Record<string, string>;
  /** Revisions of what the part reads at start: pods are replaced when one changes. Those of several parts are joined. */
  readonly podAnnotations?: Record<string, string>;
  readonly serviceAccountAnnotations?: Record<string, string>;
  /** Network destinations of the pod, where it is isolated. */
  readonly routes?: NetworkRoute[];
}
