import { ApiObject } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { markNamedByContent } from '../unique-name';
import { contentDigest } from '../values/digest';

import type { ObjectLabels } from './labels';

/** Files in a ConfigMap that is named by its content. */
export interface ConfigFiles {
  /** Start of the ConfigMap's name: the rest is a digest of the content. */
  readonly name: string;
  /** Name of the volume. */
  readonly volumeName: string;
  /** Folder of the container that the files are mounted at. */
  readonly path: string;
  /** Contents by file name. */
  readonly data: Record<string, string>;
}

/** Mounts files of an immutable ConfigMap. Another content is another name, so that a change replaces the pods. */
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
  markNamedByContent(ApiObject.of(configMap));
  return {
    path,
    volume: kplus.Volume.fromConfigMap(scope, `${id}-volume`, configMap, { name: volumeName }),
    readOnly: true,
  };
}
