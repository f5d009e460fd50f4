import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { contentDigest } from '../values/digest';

import type { ObjectLabels } from './labels';

/** Files of a ConfigMap, and where a container mounts them. */
export interface ConfigFiles {
  /** Start of the ConfigMap's name. A digest of the content follows. */
  readonly name: string;
  /** Name of the volume. */
  readonly volumeName: string;
  /** Folder of the container. */
  readonly path: string;
  /** Content of each file, by its name. */
  readonly data: Record<string, string>;
}

/** Mounts files of an immutable ConfigMap. Its name changes with its content, so a change replaces the pods. */
export function mountConfigFiles(
  scope: Construct,
  id: string,
  labels: ObjectLabels,
  { name, volumeName, path, data }: ConfigFiles,
): kplus.VolumeMount {
  const configMap = new kplus.ConfigMap(scope, id, {
    metadata: { name: `${name}-${contentDigest(data)}`, labels: labels.all },
    immutable: true,
    data,
  });
  return {
    path,
    volume: kplus.Volume.fromConfigMap(scope, `${id}-volume`, configMap, { name: volumeName }),
    readOnly: true,
  };
}
