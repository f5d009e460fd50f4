import { type Duration, type Size, SizeRoundingBehavior } from 'cdk8s';
import type { Construct } from 'constructs';

import type { GoogleIdentity } from '../identity/google-identity';
import { checkRoute, type NetworkRoute, routeAt } from '../kube/network/network-route';
import { texts } from '../kube/values/env-values';
import { checkSeconds } from '../validation/checks';
import { checkNew } from '../validation/arguments';
import { Problems } from '../validation/problems';

import type { ArtifactLocation, IArtifactStore } from './artifact-store';
import { ArtifactTransfers } from './artifact-transfers';
import { type ArtifactAccess, checkPrefix, folderUri, locationAt, withIdentity } from './object-store';

// Required by google.cloud.storage.blob.
const CHUNK_KIBIBYTES = 256;

/** Props of {@link GcsArtifacts}. */
export interface GcsArtifactsProps {
  /** Name of the bucket. */
  readonly bucket: string;

  /** Identity that may read and write the bucket. */
  readonly identity: GoogleIdentity;

  /**
   * Folder of the bucket.
   * @default - the bucket itself
   */
  readonly prefix?: string;

  /**
   * Access of clients to the bucket: through the server, or directly.
   * @default ArtifactAccess.PROXIED
   */
  readonly access?: ArtifactAccess;

  /**
   * How files of clients that go through the server travel. MLflow signs only uploads, and only by a key file.
   * @default - ArtifactTransfers.signedUrls() with a key file, otherwise the default of MLflow
   */
  readonly transfers?: ArtifactTransfers;

  /**
   * Timeout of the server for the store during one upload or download.
   * @default Duration.minutes(1) - the default of google-cloud-storage
   */
  readonly transferTimeout?: Duration;

  /**
   * Size of the parts that the server uploads a file in; a multiple of 256 KiB.
   * @default - what google-cloud-storage chooses
   */
  readonly uploadChunkSize?: Size;

  /**
   * Size of the parts that the server downloads a file in; a multiple of 256 KiB.
   * @default - what google-cloud-storage chooses
   */
  readonly downloadChunkSize?: Size;

  /**
   * Network route to Google's APIs, for isolated pods: to the store, and to the tokens of a key file. Behind a private endpoint,
   * `{ peers: [NetworkPeer.cidr('10.20.0.0/16')] }`.
   * @default - every address at port 443
   */
  readonly route?: NetworkRoute;
}

/** Artifacts in a bucket of Google Cloud Storage. The image needs google-cloud-storage. */
export class GcsArtifacts implements IArtifactStore {
  public constructor(private readonly props: GcsArtifactsProps) {
    checkNew('GcsArtifacts', props);
  }

  public bind(scope: Construct): ArtifactLocation {
    const { bucket, prefix, identity, access, transferTimeout, uploadChunkSize, downloadChunkSize, route } = this.props;
    this.check(scope);
    const store = {
      envVariables: texts({
        ...(transferTimeout && { MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT: transferTimeout.toSeconds() }),
        ...(uploadChunkSize && { MLFLOW_GCS_UPLOAD_CHUNK_SIZE: bytesOf(uploadChunkSize) }),
        ...(downloadChunkSize && { MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE: bytesOf(downloadChunkSize) }),
      }),
      routes: [routeAt(443, route)],
    };
    const part = withIdentity(store, identity._part(scope, 'artifacts'));
    const transfers = this.props.transfers ?? (identity._hasKeyFile ? ArtifactTransfers.signedUrls() : undefined);
    return locationAt(folderUri(`gs://${bucket}`, prefix), access, transfers, part);
  }

  private check(scope: Construct): void {
    const { bucket, prefix, identity, transfers } = this.props;
    const problems = Problems.of(scope);
    if (!/^[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]$/.test(bucket)) {
      problems.add('bucket', 'must be the name of a bucket, without gs://', bucket);
    }
    checkPrefix(problems, 'prefix', prefix);
    checkRoute(problems, 'route', this.props.route);
    checkSeconds(problems, 'transferTimeout', this.props.transferTimeout);
    checkChunk(problems, 'uploadChunkSize', this.props.uploadChunkSize);
    checkChunk(problems, 'downloadChunkSize', this.props.downloadChunkSize);
    identity._check(problems, 'identity');
    if (transfers?._kind === 'signedUrls' && identity._serviceAccount !== undefined) {
      problems.say(
        `\`${problems.name('transfers')}\` must not be ArtifactTransfers.signedUrls() with GoogleIdentity.fromServiceAccount(): MLflow signs by the key of a key file, and large uploads would fail.`,
        'Leave it out, or use GoogleIdentity.fromSecretName().',
      );
    }
    problems.throwIfAny();
  }
}

function checkChunk(problems: Problems, prop: string, size: Size | undefined): void {
  const kibibytes = size?.toKibibytes({ rounding: SizeRoundingBehavior.NONE });
  if (kibibytes !== undefined && (kibibytes === 0 || kibibytes % CHUNK_KIBIBYTES !== 0)) {
    problems.add(prop, `must be a multiple of ${String(CHUNK_KIBIBYTES)} KiB`, `${String(kibibytes)} KiB`);
  }
}

function bytesOf(size: Size): number {
  return size.toKibibytes() * 1024;
}
