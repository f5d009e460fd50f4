import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import { texts } from '../kube/values/env-values';
import { checkSeconds } from '../validation/checks';
import { checkNew } from '../validation/arguments';
import { Problems } from '../validation/problems';

import type { ArtifactLocation, IArtifactStore } from './artifact-store';
import { ArtifactTransfers, CUSTOMER_KEY } from './artifact-transfers';
import { type ArtifactAccess, locationAt } from './object-store';
import { checkS3Bucket, s3Part, s3Uri, type S3BucketProps } from './s3-bucket';

// With a longer lifetime, each download fails (mlflow.server.handlers).
const LONGEST_LIFETIME = Duration.days(7);

/** Props of {@link S3Artifacts}. */
export interface S3ArtifactsProps extends S3BucketProps {
  /**
   * Access of clients to the bucket: through the server, or directly.
   * @default ArtifactAccess.PROXIED
   */
  readonly access?: ArtifactAccess;

  /**
   * How files of clients that go through the server travel. URLs cannot be signed for keys of your own (`SSECustomerKey` in
   * `uploadExtraArgs`): clients would learn the key.
   * @default ArtifactTransfers.signedUrls() - with `SSECustomerKey`, the default of MLflow
   */
  readonly transfers?: ArtifactTransfers;

  /**
   * Lifetime of the signed URLs with which clients download from the bucket. At most 7 days.
   * @default Duration.minutes(5) - the default of MLflow
   */
  readonly signedUrlLifetime?: Duration;
}

/**
 * Artifacts in a bucket of Amazon S3 or of a compatible store, such as MinIO. The image needs boto3.
 *
 * With `ArtifactAccess.PROXIED`, too, clients connect to the bucket, with URLs that the server signs, unless `transfers` says
 * otherwise. Clients that cannot reach the bucket need `MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD=false` in their own environment.
 *
 * @see https://mlflow.org/docs/latest/self-hosting/architecture/artifact-store/
 */
export class S3Artifacts implements IArtifactStore {
  public constructor(private readonly props: S3ArtifactsProps) {
    checkNew('S3Artifacts', props);
  }

  public bind(scope: Construct): ArtifactLocation {
    const { access, signedUrlLifetime, uploadExtraArgs } = this.props;
    const canSign = !(CUSTOMER_KEY in (uploadExtraArgs ?? {}));
    const transfers = this.props.transfers ?? (canSign ? ArtifactTransfers.signedUrls() : undefined);
    const problems = Problems.of(scope);
    checkS3Bucket(problems, this.props);
    checkSeconds(problems, 'signedUrlLifetime', signedUrlLifetime);
    if (
      signedUrlLifetime !== undefined &&
      signedUrlLifetime.toSeconds({ integral: false }) > LONGEST_LIFETIME.toSeconds()
    ) {
      problems.add('signedUrlLifetime', 'must be 7 days at most', signedUrlLifetime.toHumanString());
    }
    problems.throwIfAny();

    const part = s3Part(scope, this.props, 'artifacts-ca');
    const lifetime = signedUrlLifetime && { MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS: signedUrlLifetime.toSeconds() };
    return locationAt(s3Uri(this.props), access, transfers, {
      ...part,
      envVariables: { ...part.envVariables, ...texts({ ...lifetime }) },
    });
  }
}
