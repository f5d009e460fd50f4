import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { NetworkRoute } from '../kube/network/network-route';
import type { PodPart } from '../kube/pod/pod-part';
import { typeProblemsOf } from '../validation/arguments';
import type { Problems } from '../validation/problems';

const HTTPS = 443;

/** Which pods see the files of an artifact store. It limits the replicas of a server. */
export enum ArtifactVisibility {
  /** One pod: the files are gone with it. */
  POD = 'pod',
  /** The pods of one node, as with a ReadWriteOnce volume. */
  NODE = 'node',
  /** Every pod, as with an object store or a ReadWriteMany volume. */
  CLUSTER = 'cluster',
}

/** Where a server keeps artifacts, and what its pods need for that. */
export interface ArtifactLocation {
  /** Folder or URI that the server writes to, such as `s3://bucket`: `--artifacts-destination`. */
  readonly destination: string;

  /**
   * Artifact root of new experiments, as clients see it: `--default-artifact-root`.
   * @default 'mlflow-artifacts:/' - clients upload and download through the server
   */
  readonly defaultArtifactRoot?: string;

  /** Which pods see the files. */
  readonly visibility: ArtifactVisibility;

  /**
   * Environment variables of the server's container.
   * @default - none
   */
  readonly envVariables?: Record<string, kplus.EnvValue>;

  /**
   * Volumes of the server's container.
   * @default - none
   */
  readonly volumeMounts?: kplus.VolumeMount[];

  /**
   * Name of the claim that the files are on, for monitoring.
   * @default - they are not on a claim
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

/** Where the store of a server keeps artifacts. Users write stores of their own, in any language. */
export function bindStore(problems: Problems, scope: Construct, store: IArtifactStore): ArtifactLocation {
  const location = problems.during('artifactRoot', () => store.bind(scope));
  typeProblemsOf('ArtifactLocation', 'artifactRoot', location).forEach((text) => {
    problems.say(text);
  });
  return location;
}

/** What every pod needs that works with the artifacts. */
export function artifactsPart(location: ArtifactLocation): PodPart {
  const { destination, envVariables, volumeMounts, podLabels, serviceAccountAnnotations, routes } = location;
  return {
    of: 'artifactRoot',
    envVariables,
    volumeMounts,
    podLabels,
    serviceAccountAnnotations,
    routes: routes ?? (destination.includes(':') ? [{ ports: [HTTPS] }] : []),
  };
}
