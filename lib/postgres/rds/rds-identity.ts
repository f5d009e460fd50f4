import type * as kplus from 'cdk8s-plus-28';

import { AMAZON_METADATA, checkRole, roleAnnotations } from '../../identity/aws-identity';
import { checkDataKey, checkObjectName } from '../../validation/checks';
import { fromSecretKey } from '../../kube/values/env-values';
import type { NetworkRoute } from '../../kube/network/network-route';
import type { Problems } from '../../validation/problems';

/** Which keys of a Secret hold an access key. */
export interface RdsSecretKeysOptions {
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

/** The port of AWS's APIs, of which STS makes credentials of a role. */
const HTTPS: NetworkRoute = { ports: [443] };

/** Who a pod is to IAM, which lets it in to a database. It needs the permission `rds-db:connect` for the role of PostgreSQL. */
export class RdsIdentity {
  /**
   * By IAM roles for service accounts: the ServiceAccount of each pod that connects gets the annotation. It has the name of
   * its construct.
   *
   * @param roleArn `arn:aws:iam::…:role/…`, which trusts each of these ServiceAccounts
   */
  public static fromRole(roleArn: string): RdsIdentity {
    return new RdsIdentity([HTTPS], {}, roleAnnotations(roleArn));
  }

  /** By an access key in a Secret, in the namespace of the pods. For clusters outside of AWS. */
  public static fromSecretName(secretName: string, options: RdsSecretKeysOptions = {}): RdsIdentity {
    return new RdsIdentity([], {
      AWS_ACCESS_KEY_ID: { secretName, key: options.accessKeyIdKey ?? 'AWS_ACCESS_KEY_ID' },
      AWS_SECRET_ACCESS_KEY: { secretName, key: options.secretAccessKeyKey ?? 'AWS_SECRET_ACCESS_KEY' },
    });
  }

  /**
   * By what is around it: EKS Pod Identity, the role of the node, or a ServiceAccount of your own that has the annotation
   * already.
   */
  public static ambient(): RdsIdentity {
    return new RdsIdentity([HTTPS, AMAZON_METADATA]);
  }

  private constructor(
    /** @internal */
    public readonly _routes: NetworkRoute[],
    private readonly keys: Record<string, { readonly secretName: string; readonly key: string }> = {},
    /** @internal */
    public readonly _serviceAccountAnnotations?: Record<string, string>,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    const [first] = Object.values(this.keys);
    if (first !== undefined) {
      checkObjectName(problems, 'identity', first.secretName);
    }
    for (const { key } of Object.values(this.keys)) {
      checkDataKey(problems, 'identity', key);
    }
    checkRole(problems, 'identity', this._serviceAccountAnnotations);
  }

  /** @internal */
  public _environment(): Record<string, kplus.EnvValue> {
    return Object.fromEntries(
      Object.entries(this.keys).map(([name, { secretName, key }]) => [name, fromSecretKey(secretName, key)]),
    );
  }
}
