import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import { checkSeconds } from '../validation/checks';
import { texts } from '../kube/values/env-values';
import { Problems } from '../validation/problems';

import { type ArtifactAccess, rootFor } from './object-store';
import { type ArtifactLocation, ArtifactVisibility, type IArtifactStore } from './artifact-store';
import { bucketAccess, bucketUri, checkBucket, type S3BucketProps } from './s3-bucket';

/** Props of {@link S3Artifacts}. */
export interface S3ArtifactsProps extends S3BucketProps {
  /**
   * Who talks to the bucket: the server, or clients themselves.
   * @default ArtifactAccess.PROXIED
   */
  readonly access?: ArtifactAccess;

  /**
   * How long a URL works that the server signs for a client, which then downloads from the bucket itself. At most 7 days.
   * @default Duration.minutes(5) - MLflow's own
   */
  readonly signedUrlLifetime?: Duration;
}

// Longer ones are refused when they are used (mlflow.server.handlers).
const LONGEST_LIFETIME = Duration.days(7);

/**
 * Artifacts in a bucket of Amazon S3, or of a store that speaks its protocol. The image needs boto3.
 *
 * Where the server stands in between, clients of MLflow 3.17 still download by URLs that it signs, straight from the bucket.
 * Clients that cannot reach it need `MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD=false` in their own environment; the server
 * has no setting for it (mlflow.store.artifact.mlflow_artifacts_repo).
 *
 * @see https://mlflow.org/docs/latest/self-hosting/architecture/artifact-store/
 */
export class S3Artifacts implements IArtifactStore {
  public constructor(private readonly props: S3ArtifactsProps) {}

  public bind(scope: Construct): ArtifactLocation {
    const { signedUrlLifetime } = this.props;
    const problems = Problems.of(scope);
    checkBucket(problems, 'artifactRoot', this.props);
    checkSeconds(problems, 'artifactRoot.signedUrlLifetime', signedUrlLifetime);
    if (
      signedUrlLifetime !== undefined &&
      signedUrlLifetime.toSeconds({ integral: false }) > LONGEST_LIFETIME.toSeconds()
    ) {
      problems.add('artifactRoot.signedUrlLifetime', 'must be 7 days at most', signedUrlLifetime.toHumanString());
    }
    problems.throwIfAny();
    const uri = bucketUri(this.props);
    const access = bucketAccess(scope, this.props, 'artifacts-ca');
    return {
      destination: uri,
      defaultArtifactRoot: rootFor(uri, this.props.access),
      visibility: ArtifactVisibility.CLUSTER,
      ...access,
      envVariables: {
        ...access.envVariables,
        ...(signedUrlLifetime && texts({ MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS: signedUrlLifetime.toSeconds() })),
      },
    };
  }
}
