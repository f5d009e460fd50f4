import type * as kplus from 'cdk8s-plus-28';

import { checkRole, roleAnnotations } from '../identity/aws-identity';
import { checkDataKey, checkObjectName } from '../validation/checks';
import { fromSecretKey } from '../kube/values/env-values';
import type { Problems } from '../validation/problems';

/** Which keys of a Secret hold the access key of a bucket. */
export interface S3SecretKeysOptions {
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

/** How the server proves to a bucket who it is. */
export class S3Credentials {
  /** By an access key in a Secret, in the namespace of the pods. */
  public static fromSecretName(secretName: string, options: S3SecretKeysOptions = {}): S3Credentials {
    return new S3Credentials({
      AWS_ACCESS_KEY_ID: { secretName, key: options.accessKeyIdKey ?? 'AWS_ACCESS_KEY_ID' },
      AWS_SECRET_ACCESS_KEY: { secretName, key: options.secretAccessKeyKey ?? 'AWS_SECRET_ACCESS_KEY' },
    });
  }

  /**
   * By the role of its ServiceAccount (IAM roles for service accounts).
   *
   * @param roleArn `arn:aws:iam::…:role/…`, which trusts the ServiceAccount of the server
   */
  public static fromRole(roleArn: string): S3Credentials {
    return new S3Credentials({}, roleAnnotations(roleArn));
  }

  /** By what is around it: EKS Pod Identity, the role of the node, or a ServiceAccount that you have annotated yourself. */
  public static ambient(): S3Credentials {
    return new S3Credentials({}, undefined, true);
  }

  private constructor(
    private readonly keys: Record<string, { readonly secretName: string; readonly key: string }>,
    /** @internal */
    public readonly _serviceAccountAnnotations?: Record<string, string>,
    /** @internal */
    public readonly _isAmbient = false,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    for (const { secretName, key } of Object.values(this.keys)) {
      checkObjectName(problems, `${prop}.secretName`, secretName);
      checkDataKey(problems, prop, key);
    }
    checkRole(problems, `${prop}.roleArn`, this._serviceAccountAnnotations);
  }

  /** @internal */
  public _environment(): Record<string, kplus.EnvValue> {
    return Object.fromEntries(
      Object.entries(this.keys).map(([name, { secretName, key }]) => [name, fromSecretKey(secretName, key)]),
    );
  }
}
