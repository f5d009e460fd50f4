import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { NetworkRoute } from '../kube/network/network-route';
import type { PodPart } from '../kube/pod/pod-part';

const HTTPS = 443;

/** How far the files of an artifact store can be seen: what limits the replicas of a server. */
export enum ArtifactVisibility {
  /** By one pod: the files are gone with it. */
  POD = 'pod',
  /** By the pods of one node at a time, as a ReadWriteOnce volume. */
  NODE = 'node',
  /** By every pod, as an object store or a ReadWriteMany volume. */
  CLUSTER = 'cluster',
}

/** Where a server keeps artifacts: the one value between artifact stores and the server. */
export interface ArtifactLocation {
  /** Where the server itself writes, such as a folder or `s3://bucket`: `--artifacts-destination`. */
  readonly destination: string;

  /**
   * The root of new experiments, as clients see it: `--default-artifact-root`.
   * @default 'mlflow-artifacts:/' - clients upload and download through the server
   */
  readonly defaultArtifactRoot?: string;

  /** How far the files can be seen. */
  readonly visibility: ArtifactVisibility;

  /**
   * Environment variables that the server needs for it.
   * @default - none
   */
  readonly envVariables?: Record<string, kplus.EnvValue>;

  /**
   * Volumes that the server needs for it.
   * @default - none
   */
  readonly volumeMounts?: kplus.VolumeMount[];

  /**
   * Name of the claim that the files are on, for monitoring.
   * @default - they are not on a claim
   */
  readonly claimName?: string;

  /**
   * Labels that the pods need for it, as some workload identities do.
   * @default - none
   */
  readonly podLabels?: Record<string, string>;

  /**
   * Annotations that the ServiceAccount needs for it, as workload identities do. They go onto the server's own one.
   * @default - none
   */
  readonly serviceAccountAnnotations?: Record<string, string>;

  /**
   * The ways to it through the network, the one to its credentials included, for servers with `isolation`.
   * @default - every address at port 443; nothing where `destination` is a folder
   */
  readonly routes?: NetworkRoute[];
}

/** A place for artifacts: models, plots, files. Implement it to bring a store of your own. */
export interface IArtifactStore {
  /**
   * Makes what the store needs below `scope`, which is the server, and says where artifacts go.
   *
   * @param scope the server that uses the store
   */
  bind(scope: Construct): ArtifactLocation;
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
