import type { Construct } from 'constructs';

import type { AwsIdentity } from '../identity/aws-identity';
import { checkRoute, type NetworkRoute, routeAt } from '../kube/network/network-route';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import type { FileSource } from '../kube/values/file-source';
import type { Problems } from '../validation/problems';

import { checkPrefix, folderUri, withIdentity } from './object-store';

/** Addressing of the bucket: its name in the path or in the host name of a request. */
export enum S3Addressing {
  /** `https://endpoint/bucket/key`: MinIO, Ceph and others. */
  PATH = 'path',
  /** `https://bucket.endpoint/key`: Amazon. */
  VIRTUAL = 'virtual',
}

/** A bucket of Amazon S3 or of a compatible store. */
export interface S3BucketProps {
  /** Name of the bucket. */
  readonly bucket: string;

  /** Identity that may read and write the bucket. MinIO and Ceph take an access key: `AwsIdentity.fromSecretName()`. */
  readonly identity: AwsIdentity;

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
   * Addressing of the bucket: its name in the path or in the host name of a request.
   * @default - what the SDK chooses
   */
  readonly addressing?: S3Addressing;

  /**
   * Certificate of the CA that signed the endpoint's certificate, PEM.
   * @default - the CAs of the image
   */
  readonly ca?: FileSource;

  /**
   * Accept any certificate. For trials only: an impostor can read and change every file.
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
   * Network route to the store, for isolated pods. Behind a private endpoint, `{ peers: [NetworkPeer.cidr('10.20.0.0/16')] }`.
   * @default - every address at the port of `endpoint`
   */
  readonly route?: NetworkRoute;
}

/** The URI of a bucket's folder: `s3://bucket/prefix`. */
export function s3Uri({ bucket, prefix }: S3BucketProps): string {
  return folderUri(`s3://${bucket}`, prefix);
}

/** The part of each pod that uses a bucket: variables of MLflow and of the SDK. `caName` names the volume of the CA and its folder. */
export function s3Part(scope: Construct, props: S3BucketProps, caName: string): PodPart {
  const { ca } = props;
  const caFolder = `/etc/${caName}`;
  const bucket: PodPart = {
    envVariables: texts({
      ...(props.region !== undefined && { AWS_DEFAULT_REGION: props.region }),
      ...(props.endpoint !== undefined && { MLFLOW_S3_ENDPOINT_URL: props.endpoint }),
      ...(props.addressing !== undefined && { MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE: props.addressing }),
      ...(ca !== undefined && { AWS_CA_BUNDLE: `${caFolder}/ca.crt` }),
      ...(props.ignoreTls === true && { MLFLOW_S3_IGNORE_TLS: true }),
      ...(props.uploadExtraArgs && { MLFLOW_S3_UPLOAD_EXTRA_ARGS: JSON.stringify(props.uploadExtraArgs) }),
    }),
    volumeMounts: ca && [ca._mount(scope, caName, caFolder, 'ca.crt')],
    routes: [routeAt(portOf(props.endpoint), props.route)],
  };
  return withIdentity(bucket, props.identity._part());
}

/** Validates a bucket. */
export function checkS3Bucket(problems: Problems, props: S3BucketProps): void {
  const { bucket, prefix, endpoint, ca, ignoreTls, identity } = props;
  if (!/^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]$/.test(bucket)) {
    problems.add('bucket', 'must be the name of a bucket, without s3://', bucket);
  }
  checkPrefix(problems, 'prefix', prefix);
  checkRoute(problems, 'route', props.route);
  if (endpoint !== undefined && !/^https?:\/\/[^/\s]+$/.test(endpoint)) {
    problems.add('endpoint', 'must be a URL with scheme and without path', endpoint);
  }
  if (ca !== undefined && ignoreTls === true) {
    problems.say(
      `\`${problems.name('ignoreTls')}\` must not be set with \`ca\`: one trusts any certificate, the other only those of a CA.`,
      'Leave one of them out.',
    );
  }
  ca?._check(problems, 'ca');
  identity._check(problems, 'identity');
}

function portOf(endpoint = ''): number {
  const port = /:(\d+)$/.exec(endpoint)?.[1];
  return port === undefined ? (endpoint.startsWith('http:') ? 80 : 443) : Number(port);
}
