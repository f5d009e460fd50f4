import { ApiObject, Lazy } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { nameByContent } from '../unique-name';
import { contentDigest } from '../values/digest';

import type { ObjectLabels } from './labels';

/** Files of a ConfigMap of one construct, and where a container mounts them. */
export interface ConfigFiles {
  /** Start of the ConfigMap's name. A digest of the content follows. */
  readonly name: string;
  /** Name of the volume. */
  readonly volumeName: string;
  /** Folder of the container. */
  readonly path: string;
  /** Content of each file, by its name; a function for content that is known only at the synthesis. */
  readonly data: Readonly<Record<string, Content>>;
}

type Content = string | (() => string);

/** Mounts files of an immutable ConfigMap. Its name changes with its content, so a change replaces the pods. */
export function mountConfigFiles(
  scope: Construct,
  id: string,
  labels: ObjectLabels,
  { name, volumeName, path, data }: ConfigFiles,
): kplus.VolumeMount {
  const configMap = new kplus.ConfigMap(scope, id, {
    metadata: { name, labels: labels.all },
    immutable: true,
    data: mapContents(data, (content) =>
      typeof content === 'string' ? content : (Lazy.any({ produce: content }) as string),
    ),
  });
  nameByContent(ApiObject.of(configMap), name, () => {
    const contents = mapContents(data, (content) => (typeof content === 'string' ? content : content()));
    return `${name}-${contentDigest(contents)}`;
  });
  // A volume takes the name when it is made; the content may change after that.
  const nameLater = Lazy.any({ produce: () => configMap.name }) as string;
  const reference = kplus.ConfigMap.fromConfigMapName(scope, `${id}-reference`, nameLater);
  return {
    path,
    volume: kplus.Volume.fromConfigMap(scope, `${id}-volume`, reference, { name: volumeName }),
    readOnly: true,
  };
}

function mapContents(data: ConfigFiles['data'], change: (content: Content) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([file, content]) => [file, change(content)]));
}
