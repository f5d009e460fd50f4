import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** A file that is kept under a key of a Secret or of a ConfigMap. */
export class FileSource {
  /**
   * A file from a Secret.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   * @param key key of the Secret that holds the file
   */
  public static fromSecret(secretName: string, key: string): FileSource {
    return new FileSource('secret', secretName, key);
  }

  /**
   * A file from a ConfigMap: for what is public, such as the certificate of a CA.
   *
   * @param configMapName name of the ConfigMap, in the namespace of the pods
   * @param key key of the ConfigMap that holds the file
   */
  public static fromConfigMap(configMapName: string, key: string): FileSource {
    return new FileSource('configMap', configMapName, key);
  }

  private constructor(
    private readonly kind: 'secret' | 'configMap',
    private readonly name: string,
    private readonly key: string,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    checkObjectName(problems, prop, this.name);
    checkDataKey(problems, prop, this.key);
  }

  /** @internal */
  public _volume(scope: Construct, id: string, path: string): kplus.Volume {
    // 0440: libpq refuses a private key that others can read, and the group is how the pod's user reads it.
    const options = { name: id, items: { [this.key]: { path, mode: 0o440 } } };
    return this.kind === 'secret'
      ? kplus.Volume.fromSecret(scope, id, kplus.Secret.fromSecretName(scope, `${id}-source`, this.name), options)
      : kplus.Volume.fromConfigMap(
          scope,
          id,
          kplus.ConfigMap.fromConfigMapName(scope, `${id}-source`, this.name),
          options,
        );
  }
}
