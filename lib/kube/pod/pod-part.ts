import type * as kplus from 'cdk8s-plus-28';

import { checkDataKey, checkObjectName, checkPort } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { checkPeers, type NetworkRoute } from '../network/network-route';
import { checkAnnotations, checkLabels } from '../values/metadata';

import { checkContainer } from './pod-options';

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
  /** Init containers of the pod, which end before all other containers start. */
  readonly initContainers?: readonly PodContainer[];
  /** Native sidecars of the pod, which start before all containers but `initContainers`. */
  readonly sidecars?: kplus.ContainerProps[];
  readonly podLabels?: Record<string, string>;
  /** Revisions of files and values that containers read at start: a change replaces the pods. Those of several parts are joined. */
  readonly podAnnotations?: Record<string, string>;
  readonly serviceAccountAnnotations?: Record<string, string>;
  /** Network routes of the pod, if it is isolated. */
  readonly routes?: NetworkRoute[];
}

/** Options of a container that do not come from its parts. */
export type ContainerOptions = Omit<kplus.ContainerProps, 'name' | 'envVariables' | 'volumeMounts' | 'securityContext'>;

/** A container of a pod: its parts, in the order in which their variables and files are rendered. */
export interface PodContainer {
  readonly name: string;
  readonly parts: readonly PodPart[];
  readonly options: ContainerOptions;
}

/** Validates a part, which may come from a value of the user: a connection, an artifact location. */
export function checkPart(problems: Problems, part: PodPart): void {
  checkLabels(problems, 'podLabels', part.podLabels);
  checkAnnotations(problems, 'serviceAccountAnnotations', part.serviceAccountAnnotations);
  Object.entries(part.envVariables ?? {}).forEach(([name, value]) => {
    checkReference(problems, name, value);
  });
  part.sidecars?.forEach((sidecar) => {
    checkContainer(problems.at('sidecar.container'), sidecar);
  });
  part.routes?.forEach(({ peers, ports }) => {
    // A part of the library may have no peers, or no ports.
    checkPeers(problems, 'route.peers', peers);
    ports?.forEach((port, i) => {
      checkPort(problems, `route.ports[${String(i)}]`, port);
    });
  });
}

/** Validates the reference of a variable, unless the prop behind it is a problem already. */
function checkReference(problems: Problems, variable: string, { valueFrom }: kplus.EnvValue): void {
  const { secretKeyRef, configMapKeyRef } = (valueFrom ?? {}) as Partial<kplus.k8s.EnvVarSource>;
  const reference = secretKeyRef ?? configMapKeyRef;
  if (reference !== undefined && !problems.found) {
    checkObjectName(problems, variable, reference.name);
    checkDataKey(problems, variable, reference.key);
  }
}
