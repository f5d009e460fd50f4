import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { AMAZON_METADATA } from '../identity/aws-identity';
import { texts } from '../kube/values/env-values';
import type { FileSource } from '../kube/values/file-source';
import { checkRoute, type NetworkRoute } from '../kube/network/network-route';
import type { Problems } from '../validation/problems';

import { checkPrefix, routeToStore } from './object-store';
import type { S3Credentials } from './s3-credentials';

/** How the bucket is named in a request. */
export enum S3Addressing {
  /** `https://endpoint/bucket/key`: MinIO, Ceph and others. */
  PATH = 'path',
  /** `https://bucket.endpoint/key`: Amazon. */
  VIRTUAL = 'virtual',
}

/** A bucket, and how pods reach it. */
export interface S3BucketProps {
  /** Name of the bucket. */
  readonly bucket: string;

  /** How the pods prove who they are. */
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
   * Accept any certificate. For trials: whoever is in between can read and change every file.
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
   * The way to the store and to its credentials through the network, for pods with `isolation`. Behind a private endpoint,
   * `{ peers: [NetworkPeer.cidr('10.20.0.0/16')] }`.
   * @default - every address at the port of `endpoint`
   */
  readonly route?: NetworkRoute;
}

/** What a container needs in order to reach a bucket, by the variables of MLflow and of the SDK. */
export interface BucketAccess {
  readonly envVariables: Record<string, kplus.EnvValue>;
  readonly volumeMounts: kplus.VolumeMount[];
  readonly serviceAccountAnnotations?: Record<string, string>;
  readonly routes: NetworkRoute[];
}

/** `caName` names the volume of the CA, and its folder. */
export function bucketAccess(scope: Construct, props: S3BucketProps, caName: string): BucketAccess {
  const caFolder = `/etc/${caName}`;
  return {
    envVariables: {
      ...props.credentials._environment(),
      ...texts({
        ...(props.region !== undefined && { AWS_DEFAULT_REGION: props.region }),
        ...(props.endpoint !== undefined && { MLFLOW_S3_ENDPOINT_URL: props.endpoint }),
        ...(props.addressing !== undefined && { MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE: props.addressing }),
        ...(props.ca !== undefined && { AWS_CA_BUNDLE: `${caFolder}/ca.crt` }),
        ...(props.ignoreTls === true && { MLFLOW_S3_IGNORE_TLS: true }),
        ...(props.uploadExtraArgs !== undefined && {
          MLFLOW_S3_UPLOAD_EXTRA_ARGS: JSON.stringify(props.uploadExtraArgs),
        }),
      }),
    },
    volumeMounts:
      props.ca === undefined
        ? []
        : [{ path: caFolder, volume: props.ca._volume(scope, caName, 'ca.crt'), readOnly: true }],
    serviceAccountAnnotations: props.credentials._serviceAccountAnnotations,
    routes: [
      routeToStore(props.route, portOf(props.endpoint)),
      ...(props.credentials._isAmbient ? [AMAZON_METADATA] : []),
    ],
  };
}

/** `s3://bucket/prefix` */
export function bucketUri({ bucket, prefix }: S3BucketProps): string {
  return ['s3:/', bucket, ...(prefix === undefined ? [] : [prefix])].join('/');
}

/** What a bucket must look like, as the prop of this name. */
export function checkBucket(problems: Problems, prop: string, props: S3BucketProps): void {
  const { bucket, prefix, endpoint, ca, ignoreTls, credentials } = props;
  if (!/^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]$/.test(bucket)) {
    problems.add(`${prop}.bucket`, 'must be the name of a bucket, without s3://', bucket);
  }
  checkPrefix(problems, prefix, `${prop}.prefix`);
  checkRoute(problems, `${prop}.route`, props.route);
  if (endpoint !== undefined && !/^https?:\/\/[^/\s]+$/.test(endpoint)) {
    problems.add(`${prop}.endpoint`, 'must be a URL with scheme and without path', endpoint);
  }
  if (ca !== undefined && ignoreTls === true) {
    problems.say(
      `\`${prop}.ignoreTls\` must not be set with \`ca\`: one trusts any certificate, the other a CA.`,
      'Drop one of them.',
    );
  }
  ca?._check(problems, `${prop}.ca`);
  credentials._check(problems, `${prop}.credentials`);
}

function portOf(endpoint = ''): number {
  const port = /:(\d+)$/.exec(endpoint)?.[1];
  return port === undefined ? (endpoint.startsWith('http:') ? 80 : 443) : Number(port);
}
