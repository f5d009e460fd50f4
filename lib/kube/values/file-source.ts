import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** A file in a Secret or in a ConfigMap. */
export class FileSource {
  /**
   * A file in a Secret.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   * @param key key of the Secret that holds the file
   */
  public static fromSecret(secretName: string, key: string): FileSource {
    return new FileSource('secret', secretName, key);
  }

  /**
   * A file in a ConfigMap. Choose it for public files, such as the certificate of a CA.
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

  /**
   * What refers to the file in the manifest of somebody else.
   *
   * @internal
   */
  public get _reference(): { readonly kind: 'secret' | 'configMap'; readonly name: string; readonly key: string } {
    return { kind: this.kind, name: this.name, key: this.key };
  }

  /**
   * Mounts the file into a folder, under a name. `id` is the name of its volume.
   *
   * @internal
   */
  public _mount(scope: Construct, id: string, folder: string, name: string): kplus.VolumeMount {
    // 0440: libpq refuses a private key that others can read; the pod's user reads it as a member of the group.
    const options = { name: id, items: { [this.key]: { path: name, mode: 0o440 } } };
    const volume =
      this.kind === 'secret'
        ? kplus.Volume.fromSecret(scope, id, kplus.Secret.fromSecretName(scope, `${id}-source`, this.name), options)
        : kplus.Volume.fromConfigMap(
            scope,
            id,
            kplus.ConfigMap.fromConfigMapName(scope, `${id}-source`, this.name),
            options,
          );
    return { path: folder, volume, readOnly: true };
  }

  /**
   * The volume of a manifest, with the file under a name.
   *
   * @internal
   */
  public _volumeIn(id: string, name: string): object {
    const items = [{ key: this.key, path: name }];
    return this.kind === 'secret'
      ? { name: id, secret: { items, secretName: this.name } }
      : { configMap: { items, name: this.name }, name: id };
  }
}
