import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { contentDigest } from '../kube/digest';
import type { ObjectLabels } from '../kube/labels';

/** Where the scripts are mounted. */
export const SCRIPT_FOLDER = '/opt/mlflow/scripts';

const SOURCE_FOLDER = join(__dirname, '..', 'scripts');

/** The Python scripts of the library, by file name. Read once: they do not change while an app runs. */
const SCRIPTS: Record<string, string> = Object.fromEntries(
  readdirSync(SOURCE_FOLDER)
    .filter((file) => file.endsWith('.py'))
    .sort()
    .map((file) => [file, readFileSync(join(SOURCE_FOLDER, file), 'utf8')]),
);

const DIGEST = contentDigest(SCRIPTS);

/** The scripts as a volume. The ConfigMap is named by its content, so that a changed script replaces the pods. */
export function scriptVolume(scope: Construct, labels: ObjectLabels): kplus.Volume {
  const configMap = new kplus.ConfigMap(scope, 'scripts', {
    metadata: { name: `${scope.node.id}-scripts-${DIGEST}`, labels: labels.all },
    immutable: true,
    data: SCRIPTS,
  });
  return kplus.Volume.fromConfigMap(scope, 'scripts-volume', configMap, { name: 'scripts' });
}

/** The command that runs a script. */
export function scriptCommand(script: string, ...args: string[]): string[] {
  return ['python', `${SCRIPT_FOLDER}/${script}`, ...args];
}
