import type { EnvValue } from 'cdk8s-plus-28';

import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import { mlflow3MinorOf } from '../validation/image';
import type { Problems } from '../validation/problems';

/** The argument of uploads to S3 that holds an encryption key. */
export const CUSTOMER_KEY = 'SSECustomerKey';

type Kind = 'signedUrls' | 'signedUrlsOnly' | 'throughServer';

/**
 * How the files of clients travel that have no access to the object store themselves: by URLs that the server signs, or through
 * the server. A variable in a client's own environment (`MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD`, `…_DOWNLOAD`) overrides it there,
 * unless signed URLs are all that the server takes.
 */
export class ArtifactTransfers {
  /**
   * Large files (500 MB and more) are uploaded to the store, and files are downloaded from it, by URLs that the server signs: the
   * server needs no threads, disk or time for them. Clients must reach the store by the name that the server has for it. Stores
   * other than S3 have uploads only: downloads go through the server.
   */
  public static signedUrls(): ArtifactTransfers {
    return new ArtifactTransfers('signedUrls');
  }

  /**
   * Every file goes through the server. Choose it where clients cannot reach the store. It needs MLflow 3.18: servers of 3.15 to
   * 3.17 offer URLs to all clients.
   */
  public static throughServer(): ArtifactTransfers {
    return new ArtifactTransfers('throughServer');
  }

  /**
   * As `signedUrls()`, for files of any size, and the server refuses files itself (`--artifacts-presigned-only`). Choose it where no
   * file may pass the server. It needs MLflow 3.18 in the server and its clients, S3, and CORS of the bucket for the UI.
   */
  public static signedUrlsOnly(): ArtifactTransfers {
    return new ArtifactTransfers('signedUrlsOnly');
  }

  private constructor(
    /** @internal */
    public readonly _kind: Kind,
  ) {}

  /** The part of the server's container. @internal */
  public _part(): PodPart {
    const isSigned = this._kind !== 'throughServer';
    return {
      of: 'artifactRoot.transfers',
      envVariables: texts({
        MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: isSigned,
        MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD: isSigned,
      }),
    };
  }

  /** Arguments of `mlflow server`. @internal */
  public get _arguments(): string[] {
    // Not its variable: an image without the option fails, rather than to let files through the server.
    return this._kind === 'signedUrlsOnly' ? ['--artifacts-presigned-only'] : [];
  }
}

/** The fields of an artifact location that its transfers depend on. */
interface TransferringStore {
  readonly transfers?: ArtifactTransfers;
  readonly destination: string;
  readonly envVariables?: Record<string, EnvValue>;
}

/** Validates the transfers of a location: MLflow 3.18 does not start where it cannot sign, and older versions have no choice. */
export function checkTransfers(
  problems: Problems,
  { transfers, destination, envVariables }: TransferringStore,
  { image, extraEnvVars }: { readonly image: string; readonly extraEnvVars: Record<string, EnvValue> },
): void {
  const kind = transfers?._kind;
  if (kind === undefined) {
    return;
  }
  const refuse = (reason: string, hint: string): void => {
    problems.say(`\`artifactRoot.transfers\` must not be ArtifactTransfers.${kind}() with ${reason}.`, hint);
  };
  const uploadArguments = String({ ...envVariables, ...extraEnvVars }.MLFLOW_S3_UPLOAD_EXTRA_ARGS?.value ?? '');
  if (kind !== 'throughServer' && uploadArguments.includes(CUSTOMER_KEY)) {
    refuse(
      `the upload argument ${CUSTOMER_KEY}: clients would learn the key`,
      'Leave it out and set the argument in `artifactRoot.uploadExtraArgs`, or encrypt with a key that the store keeps.',
    );
  }
  if (kind === 'signedUrlsOnly' && uploadArguments.includes('ChecksumAlgorithm')) {
    refuse('the upload argument ChecksumAlgorithm: MLflow signs no such uploads', 'Leave out one of them.');
  }
  if (kind === 'signedUrlsOnly' && !/^(s3|b2):/.test(destination)) {
    refuse(`${destination}: MLflow signs downloads from S3 only`, 'Use ArtifactTransfers.signedUrls().');
  }
  const minor = mlflow3MinorOf(image) ?? Infinity;
  if (kind === 'signedUrlsOnly' && minor < 18) {
    refuse(`MLflow 3.${String(minor)}, which has no such option`, 'Use MLflow 3.18 or later.');
  }
  if (kind === 'throughServer' && minor >= 15 && minor < 18) {
    refuse(
      `MLflow 3.${String(minor)}, which offers signed URLs to every client`,
      'Use MLflow 3.18 or later, or leave it out and set MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD=false and MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD=false for the clients.',
    );
  }
}
