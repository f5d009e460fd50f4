import type { Construct } from 'constructs';

import { texts } from '../kube/env-values';
import type { FileSource } from '../kube/file-source';
import { checkRoute, type NetworkRoute } from '../kube/network-route';
import { Problems } from '../kube/problems';

import { type ArtifactAccess, checkPrefix, rootFor, routeToMetadata, routeToStore } from './object-store';
import { type ArtifactLocation, ArtifactReach, type IArtifactStore } from './artifact-store';
import type { S3Credentials } from './s3-credentials';

const CA_FOLDER = '/etc/artifacts-ca';

/**
 * EKS Pod Identity and the metadata of the node.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
 */
const METADATA = routeToMetadata(['169.254.170.23', '169.254.169.254'], 80);

/** How the bucket is named in a request. */
export enum S3Addressing {
  /** `https://endpoint/bucket/key`: MinIO, Ceph and others. */
  PATH = 'path',
  /** `https://bucket.endpoint/key`: Amazon. */
  VIRTUAL = 'virtual',
}

/** Props of {@link S3Artifacts}. */
export interface S3ArtifactsProps {
  /** Name of the bucket. */
  readonly bucket: string;

  /** How the server proves who it is. */
  readonly credentials: S3Credentials;

  /**
   * Folder of the bucket.
   * @default - the bucket itself
   */
  readonly prefix?: string;

  /**
   * Region of the bucket.
   * @default - what the SDK finds
   */
  readonly region?: string;

  /**
   * URL of a store that is not Amazon's, such as MinIO or Ceph.
   * @default - Amazon S3
   */
  readonly endpoint?: string;

  /**
   * How the bucket is named in a request.
   * @default - what the SDK chooses
   */
  readonly addressing?: S3Addressing;

  /**
   * The CA that signed the endpoint's certificate, PEM.
   * @default - the CAs of the image
   */
  readonly ca?: FileSource;

  /**
   * Accept any certificate. For trials: whoever is in between can read and change every artifact.
   * @default false
   */
  readonly ignoreTls?: boolean;

  /**
   * Further arguments of an upload, such as `{ ServerSideEncryption: 'aws:kms' }`.
   * @default - none
   * @see https://boto3.amazonaws.com/v1/documentation/api/latest/guide/s3-uploading-files.html#the-extraargs-parameter
   */
  readonly uploadExtraArgs?: Record<string, string>;

  /**
   * Who talks to the bucket: the server, or clients themselves.
   * @default ArtifactAccess.PROXIED
   */
  readonly access?: ArtifactAccess;

  /**
   * The way to the store and to its credentials through the network, for servers with `isolation`. Behind a private endpoint,
   * `{ peers: [NetworkPeer.cidr('10.20.0.0/16')] }`.
   * @default - every address at the port of `endpoint`
   */
  readonly route?: NetworkRoute;
}

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
    const { props } = this;
    this.check(scope);
    const uri = ['s3:/', props.bucket, ...(props.prefix === undefined ? [] : [props.prefix])].join('/');
    return {
      destination: uri,
      defaultArtifactRoot: rootFor(uri, props.access),
      reach: ArtifactReach.CLUSTER,
      envVariables: {
        ...props.credentials._environment(),
        ...texts({
          ...(props.region !== undefined && { AWS_DEFAULT_REGION: props.region }),
          ...(props.endpoint !== undefined && { MLFLOW_S3_ENDPOINT_URL: props.endpoint }),
          ...(props.addressing !== undefined && { MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE: props.addressing }),
          ...(props.ca !== undefined && { AWS_CA_BUNDLE: `${CA_FOLDER}/ca.crt` }),
          ...(props.ignoreTls === true && { MLFLOW_S3_IGNORE_TLS: true }),
          ...(props.uploadExtraArgs !== undefined && {
            MLFLOW_S3_UPLOAD_EXTRA_ARGS: JSON.stringify(props.uploadExtraArgs),
          }),
        }),
      },
      volumeMounts: props.ca && [
        { path: CA_FOLDER, volume: props.ca._volume(scope, 'artifacts-ca', 'ca.crt'), readOnly: true },
      ],
      serviceAccountAnnotations: props.credentials._serviceAccountAnnotations,
      routes: [routeToStore(props.route, portOf(props.endpoint)), ...(props.credentials._isAmbient ? [METADATA] : [])],
    };
  }

  private check(scope: Construct): void {
    const { bucket, prefix, endpoint, ca, ignoreTls, credentials } = this.props;
    const problems = new Problems(scope);
    if (!/^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]$/.test(bucket)) {
      problems.add('artifactRoot.bucket', 'must be the name of a bucket, without s3://', bucket);
    }
    checkPrefix(problems, prefix);
    checkRoute(problems, 'artifactRoot.route', this.props.route);
    if (endpoint !== undefined && !/^https?:\/\/[^/\s]+$/.test(endpoint)) {
      problems.add('artifactRoot.endpoint', 'must be a URL with scheme and without path', endpoint);
    }
    if (ca !== undefined && ignoreTls === true) {
      problems.say(
        '`artifactRoot.ignoreTls` must not be set with `ca`: one trusts any certificate, the other a CA.',
        'Drop one of them.',
      );
    }
    ca?._check(problems, 'artifactRoot.ca');
    credentials._check(problems);
    problems.throwIfAny();
  }
}

function portOf(endpoint = ''): number {
  const port = /:(\d+)$/.exec(endpoint)?.[1];
  return port === undefined ? (endpoint.startsWith('http:') ? 80 : 443) : Number(port);
}
