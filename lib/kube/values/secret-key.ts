import type * as kplus from 'cdk8s-plus-28';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import { fromSecretKey } from './env-values';
import type { Problems } from '../../validation/problems';

/** A value in a Secret, in the namespace of the pods. Pods do not start before it exists. */
export class SecretKey {
  /**
   * A key of a Secret that exists.
   *
   * @param secretName name of the Secret
   * @param key key of the Secret that holds the value
   */
  public static fromSecretName(secretName: string, key: string): SecretKey {
    return new SecretKey(secretName, key);
  }

  /** A key of a Secret of the app, or of one that was imported into it. */
  public static fromSecret(secret: kplus.ISecret, key: string): SecretKey {
    return new SecretKey(secret.name, key);
  }

  private constructor(
    private readonly secretName: string,
    private readonly key: string,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    checkObjectName(problems, prop, this.secretName);
    checkDataKey(problems, prop, this.key);
  }

  /** @internal */
  public _value(): kplus.EnvValue {
    return fromSecretKey(this.secretName, this.key);
  }
}
