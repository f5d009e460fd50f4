import { type Duration, type Size, SizeRoundingBehavior } from 'cdk8s';
import type { Construct } from 'constructs';

import { checkSeconds } from '../validation/checks';
import { texts } from '../kube/values/env-values';
import { FileSource } from '../kube/values/file-source';
import { checkGoogleAccount, GOOGLE_METADATA, googleAccountAnnotations } from '../identity/google-identity';
import { checkRoute, type NetworkRoute } from '../kube/network/network-route';
import { Problems } from '../validation/problems';

import { type ArtifactAccess, checkPrefix, rootFor, routeToStore } from './object-store';
import { type ArtifactLocation, ArtifactVisibility, type IArtifactStore } from './artifact-store';

const KEY_FOLDER = '/etc/artifacts-key';

/** How the server proves to Google Cloud Storage who it is. */
export class GcsCredentials {
  /**
   * By the key file of a service account, in a Secret.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   * @param key key of the Secret that holds the file
   */
  public static fromSecretName(secretName: string, key = 'key.json'): GcsCredentials {
    return new GcsCredentials(FileSource.fromSecret(secretName, key));
  }

  /**
   * By workload identity.
   *
   * @param serviceAccount the Google service account, `name@project.iam.gserviceaccount.com`
   */
  public static fromServiceAccount(serviceAccount: string): GcsCredentials {
    return new GcsCredentials(undefined, serviceAccount);
  }

  /** By what is around it: workload identity federation, or the account of the node. */
  public static ambient(): GcsCredentials {
    return new GcsCredentials();
  }

  private constructor(
    /** @internal */
    public readonly _keyFile?: FileSource,
    /** @internal */
    public readonly _serviceAccount?: string,
  ) {}
}

/** Props of {@link GcsArtifacts}. */
export interface GcsArtifactsProps {
  /** Name of the bucket. */
  readonly bucket: string;

  /** How the server proves who it is. */
  readonly credentials: GcsCredentials;

  /**
   * Folder of the bucket.
   * @default - the bucket itself
   */
  readonly prefix?: string;

  /**
   * Who talks to the bucket: the server, or clients themselves.
   * @default ArtifactAccess.PROXIED
   */
  readonly access?: ArtifactAccess;

  /**
   * How long the server waits for the store during one up- or download.
   * @default Duration.minutes(1) - that of google-cloud-storage
   */
  readonly transferTimeout?: Duration;

  /**
   * How much of a file the server sends at a time; a multiple of 256 KiB.
   * @default - what google-cloud-storage chooses
   */
  readonly uploadChunkSize?: Size;

  /**
   * How much of a file the server reads at a time; a multiple of 256 KiB.
   * @default - what google-cloud-storage chooses
   */
  readonly downloadChunkSize?: Size;

  /**
   * The way to the store and to its credentials through the network, for servers with `isolation`. Behind a private endpoint,
   * `{ peers: [NetworkPeer.cidr('10.20.0.0/16')] }`.
   * @default - every address at port 443
   */
  readonly route?: NetworkRoute;
}

/** Artifacts in a bucket of Google Cloud Storage. The image needs google-cloud-storage. */
export class GcsArtifacts implements IArtifactStore {
  public constructor(private readonly props: GcsArtifactsProps) {}

  public bind(scope: Construct): ArtifactLocation {
    const { bucket, prefix, credentials, access, transferTimeout, uploadChunkSize, downloadChunkSize } = this.props;
    this.check(scope);
    const uri = ['gs:/', bucket, ...(prefix === undefined ? [] : [prefix])].join('/');
    const keyFile = credentials._keyFile;
    return {
      destination: uri,
      defaultArtifactRoot: rootFor(uri, access),
      visibility: ArtifactVisibility.CLUSTER,
      envVariables: texts({
        ...(keyFile && { GOOGLE_APPLICATION_CREDENTIALS: `${KEY_FOLDER}/key.json` }),
        ...(transferTimeout && { MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT: transferTimeout.toSeconds() }),
        ...(uploadChunkSize && { MLFLOW_GCS_UPLOAD_CHUNK_SIZE: bytesOf(uploadChunkSize) }),
        ...(downloadChunkSize && { MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE: bytesOf(downloadChunkSize) }),
      }),
      volumeMounts: keyFile && [
        { path: KEY_FOLDER, volume: keyFile._volume(scope, 'artifacts-key', 'key.json'), readOnly: true },
      ],
      serviceAccountAnnotations: googleAccountAnnotations(credentials._serviceAccount),
      routes: [routeToStore(this.props.route), ...(keyFile === undefined ? [GOOGLE_METADATA] : [])],
    };
  }

  private check(scope: Construct): void {
    const { bucket, prefix, credentials } = this.props;
    const problems = Problems.of(scope);
    if (!/^[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]$/.test(bucket)) {
      problems.add('artifactRoot.bucket', 'must be the name of a bucket, without gs://', bucket);
    }
    checkPrefix(problems, prefix);
    checkRoute(problems, 'artifactRoot.route', this.props.route);
    checkSeconds(problems, 'artifactRoot.transferTimeout', this.props.transferTimeout);
    checkChunk(problems, 'artifactRoot.uploadChunkSize', this.props.uploadChunkSize);
    checkChunk(problems, 'artifactRoot.downloadChunkSize', this.props.downloadChunkSize);
    credentials._keyFile?._check(problems, 'artifactRoot.credentials');
    checkGoogleAccount(problems, 'artifactRoot.credentials', credentials._serviceAccount);
    problems.throwIfAny();
  }
}

// Google takes nothing else (google.cloud.storage.blob).
const CHUNK_KIBIBYTES = 256;

function checkChunk(problems: Problems, prop: string, size: Size | undefined): void {
  const kibibytes = size?.toKibibytes({ rounding: SizeRoundingBehavior.NONE });
  if (kibibytes !== undefined && (kibibytes === 0 || kibibytes % CHUNK_KIBIBYTES !== 0)) {
    problems.add(prop, `must be a multiple of ${String(CHUNK_KIBIBYTES)} KiB`, `${String(kibibytes)} KiB`);
  }
}

function bytesOf(size: Size): number {
  return size.toKibibytes() * 1024;
}
