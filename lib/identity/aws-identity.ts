import { checkRoute, metadataRoute, type NetworkRoute, routeAt } from '../kube/network/network-route';
import type { PodPart } from '../kube/pod/pod-part';
import { fromSecretKey } from '../kube/values/env-values';
import { checkDataKey, checkObjectName } from '../validation/checks';
import type { Problems } from '../validation/problems';

/**
 * EKS Pod Identity and the metadata service of the node.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
 */
const METADATA = metadataRoute(['169.254.170.23', '169.254.169.254', 'fd00:ec2::23', 'fd00:ec2::254'], 80);

/** Keys of a Secret that hold an access key. */
export interface AwsSecretKeysOptions {
  /**
   * Key of the access key's id.
   * @default 'AWS_ACCESS_KEY_ID'
   */
  readonly accessKeyIdKey?: string;

  /**
   * Key of the secret access key.
   * @default 'AWS_SECRET_ACCESS_KEY'
   */
  readonly secretAccessKeyKey?: string;
}

/** Options of an {@link AwsIdentity} whose credentials come from AWS. */
export interface AwsIdentityOptions {
  /**
   * Network route to STS, which issues the credentials of a role, for isolated pods. Behind a VPC endpoint,
   * `{ peers: [NetworkPeer.cidr('10.20.0.0/16')] }`.
   * @default - every address at port 443
   */
  readonly stsRoute?: NetworkRoute;
}

/**
 * Identity of pods at AWS. Give the same one to every prop that needs it: `RdsPostgres`, `S3Artifacts`, `BackupLocation.s3()`.
 * @example
 * const identity = AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow');
 */
export class AwsIdentity {
  /**
   * A role, by IAM roles for service accounts: the ServiceAccount of each pod gets the annotation `eks.amazonaws.com/role-arn`.
   * The role has to trust these ServiceAccounts, each of which has the name of its construct. Choose it on EKS.
   *
   * @param roleArn `arn:aws:iam::123456789012:role/name`
   */
  public static fromRole(roleArn: string, options: AwsIdentityOptions = {}): AwsIdentity {
    return new AwsIdentity({ roleArn, ...options });
  }

  /**
   * An access key in a Secret. Choose it outside of AWS, and for stores such as MinIO and Ceph.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   */
  public static fromSecretName(secretName: string, options: AwsSecretKeysOptions = {}): AwsIdentity {
    const { accessKeyIdKey = 'AWS_ACCESS_KEY_ID', secretAccessKeyKey = 'AWS_SECRET_ACCESS_KEY' } = options;
    return new AwsIdentity({ accessKey: { secretName, accessKeyIdKey, secretAccessKeyKey } });
  }

  /**
   * The identity that the SDK finds in the pod: EKS Pod Identity, the role of the node, or the annotation of a `serviceAccount` of
   * your own.
   */
  public static ambient(options: AwsIdentityOptions = {}): AwsIdentity {
    return new AwsIdentity(options);
  }

  private constructor(private readonly fields: AwsIdentityFields) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    const { roleArn, accessKey, stsRoute } = this.fields;
    if (roleArn !== undefined && !/^arn:[-\w]+:iam::\d{12}:role\/.+$/.test(roleArn)) {
      problems.add(prop, 'must be the ARN of a role (arn:aws:iam::123456789012:role/name)', roleArn);
    }
    if (accessKey !== undefined) {
      checkObjectName(problems, prop, accessKey.secretName);
      checkDataKey(problems, prop, accessKey.accessKeyIdKey);
      checkDataKey(problems, prop, accessKey.secretAccessKeyKey);
    }
    checkRoute(problems, `${prop}.stsRoute`, stsRoute);
  }

  /** The part of each pod with this identity. @internal */
  public _part(): PodPart {
    const { roleArn, accessKey, stsRoute } = this.fields;
    if (accessKey !== undefined) {
      return {
        envVariables: {
          AWS_ACCESS_KEY_ID: fromSecretKey(accessKey.secretName, accessKey.accessKeyIdKey),
          AWS_SECRET_ACCESS_KEY: fromSecretKey(accessKey.secretName, accessKey.secretAccessKeyKey),
        },
      };
    }
    const sts = routeAt(443, stsRoute);
    return roleArn === undefined
      ? { routes: [sts, METADATA] }
      : { routes: [sts], serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': roleArn } };
  }
}

interface AwsIdentityFields extends AwsIdentityOptions {
  readonly roleArn?: string;
  readonly accessKey?: Required<AwsSecretKeysOptions> & { readonly secretName: string };
}
