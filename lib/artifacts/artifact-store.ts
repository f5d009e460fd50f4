import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { type NetworkRoute, routeAt } from '../kube/network/network-route';
import type { PodPart } from '../kube/pod/pod-part';
import { typeProblemsOf } from '../validation/arguments';
import type { Problems } from '../validation/problems';

import type { ArtifactTransfers } from './artifact-transfers';

/** Pods that can read the files of an artifact store. It limits the replicas of a server. */
export enum ArtifactVisibility {
  /** One pod: Kubernetes deletes the files with it. */
  POD = 'pod',
  /** The pods of one node, such as those with a ReadWriteOnce volume. */
  NODE = 'node',
  /** Every pod, such as those with an object store or a ReadWriteMany volume. */
  CLUSTER = 'cluster',
}

/** Artifact location of a server, and what its pods need for it. */
export interface ArtifactLocation {
  /** Folder or URI that the server writes to, such as `s3://bucket`: `--artifacts-destination`. */
  readonly destination: string;

  /**
   * Artifact root of new experiments, as clients see it: `--default-artifact-root`.
   * @default 'mlflow-artifacts:/' - clients upload and download through the server
   */
  readonly defaultArtifactRoot?: string;

  /** Pods that can read the files. */
  readonly visibility: ArtifactVisibility;

  /**
   * How files of clients that have no access to the store travel.
   * @default - the default of MLflow: by signed URLs in 3.15 to 3.17, through the server in 3.18
   */
  readonly transfers?: ArtifactTransfers;

  /**
   * Environment variables of the server's container.
   * @default - none
   */
  readonly envVariables?: Record<string, kplus.EnvValue>;

  /**
   * Volume mounts of the server's container.
   * @default - none
   */
  readonly volumeMounts?: kplus.VolumeMount[];

  /**
   * Name of the PersistentVolumeClaim with the files, for monitoring.
   * @default - the files are not on a claim
   */
  readonly claimName?: string;

  /**
   * Labels of the pods. Some workload identities need one.
   * @default - none
   */
  readonly podLabels?: Record<string, string>;

  /**
   * Annotations of the pods' ServiceAccount. Workload identities need one.
   * @default - none
   */
  readonly serviceAccountAnnotations?: Record<string, string>;

  /**
   * Network routes to the store and to its credentials, for isolated pods.
   * @default - every address at port 443; none where `destination` is a folder
   */
  readonly routes?: NetworkRoute[];
}

/** A store for artifacts: models, plots, files. Implement it for a store of your own. */
export interface IArtifactStore {
  /**
   * Creates the constructs that the store needs, such as volumes, and returns where artifacts go.
   *
   * @param scope the server that uses the store
   */
  bind(scope: Construct): ArtifactLocation;
}

/** Binds the store of the prop `of`, and validates what it returns: users write stores of their own, in any language. */
export function bindStore(
  problems: Problems,
  scope: Construct,
  store: IArtifactStore,
  of = 'artifactRoot',
): ArtifactLocation {
  const location = problems.during(of, () => store.bind(scope), scope);
  typeProblemsOf('ArtifactLocation', of, location).forEach((text) => {
    problems.say(text);
  });
  return location;
}

/** The part of each pod that reads or writes artifacts. `of` is the prop of the store. */
export function artifactsPart(location: ArtifactLocation, of = 'artifactRoot'): PodPart {
  const { destination, envVariables, volumeMounts, podLabels, serviceAccountAnnotations, routes } = location;
  return {
    of,
    envVariables,
    volumeMounts,
    podLabels,
    serviceAccountAnnotations,
    routes: routes ?? (destination.includes(':') ? [routeAt(443)] : []),
  };
}
