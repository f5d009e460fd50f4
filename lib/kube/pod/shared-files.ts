import { ApiObject, Chart, Lazy, Names } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { nameByContent } from '../unique-name';
import { contentDigest } from '../values/digest';

import { labelsOf } from './labels';

/** Texts by file name. */
export type Texts = Readonly<Record<string, string>>;

/** Content of a ConfigMap. */
export interface FilesContent {
  readonly data: Texts;
  /** In base64. */
  readonly binaryData?: Texts;
}

/** Files that pods of a chart share, and where a container mounts them. */
export interface SharedFiles {
  /** The label `app.kubernetes.io/name`. */
  readonly app: string;
  /** What the files are, such as `scripts`: a part of the ConfigMap's name. */
  readonly name: string;
  /**
   * Name of the volume.
   * @default - `name`
   */
  readonly volumeName?: string;
  /** Folder of the container. */
  readonly path: string;
  readonly files: Texts;
  /**
   * Content of the ConfigMap, at the synthesis; one value for one content.
   * @default - the files
   */
  readonly content?: (chart: Chart) => FilesContent;
}

const CONFIG_MAPS = new WeakMap<Chart, Map<string, SharedConfigMap>>();
const DIGESTS = new WeakMap<object, string>();

interface SharedConfigMap {
  readonly object: ApiObject;
  readonly reference: kplus.IConfigMap;
}

/**
 * Mounts files of an immutable ConfigMap that all pods of the chart with the same files share.
 *
 * Its name starts with that of the chart: charts are applied and pruned apart, and one must not remove what pods of another use.
 * Its name ends in a digest of the content, so a change replaces the pods.
 */
export function mountSharedFiles(scope: Construct, files: SharedFiles): kplus.VolumeMount {
  const { name, volumeName = name, path } = files;
  const { object, reference } = sharedConfigMap(Chart.of(scope), files);
  const volume = kplus.Volume.fromConfigMap(scope, `${volumeName}-volume`, reference, { name: volumeName });
  // Comes before the pods in the file, though it was made last. cdk8s looks at a dependency of each object once for each chart.
  volume.node.addDependency(object);
  return { path, volume, readOnly: true };
}

function sharedConfigMap(chart: Chart, shared: SharedFiles): SharedConfigMap {
  const known = CONFIG_MAPS.get(chart) ?? new Map<string, SharedConfigMap>();
  CONFIG_MAPS.set(chart, known);
  const key = `${shared.name}-${digestOf(shared.files)}`;
  const found = known.get(key) ?? makeConfigMap(chart, `$shared-files-${String(known.size)}`, shared);
  known.set(key, found);
  return found;
}

function makeConfigMap(chart: Chart, id: string, { app, name, files, content }: SharedFiles): SharedConfigMap {
  const contentOf = (): FilesContent => content?.(chart) ?? { data: files };
  const owner = Names.toDnsLabel(chart);
  const start = `${owner}-${name}`;
  const lazy = <T>(produce: () => T): T => Lazy.any({ produce }) as T;
  const object = new ApiObject(chart, id, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: start, labels: labelsOf(app, owner, name).all },
    data: lazy(() => contentOf().data),
    binaryData: lazy(() => contentOf().binaryData),
    immutable: true,
  });
  nameByContent(object, start, () => {
    const { data, binaryData } = contentOf();
    return `${start}-${digestOf(binaryData ?? data)}`;
  });
  // A volume takes the name when it is made; the form of the content may be chosen after that.
  const nameLater = lazy(() => object.name);
  return { object, reference: kplus.ConfigMap.fromConfigMapName(chart, `${id}-reference`, nameLater) };
}

function digestOf(content: Texts): string {
  const digest = DIGESTS.get(content) ?? contentDigest(content);
  DIGESTS.set(content, digest);
  return digest;
}
