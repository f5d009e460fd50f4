import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { contentDigest } from '../kube/digest';
import type { ObjectLabels } from '../kube/labels';
import { scriptsNamed } from '../kube/scripts';

/** Where the scripts are mounted. */
export const SCRIPT_FOLDER = '/opt/mlflow/scripts';

/** Scripts, and the digest of their content. */
export class ScriptFiles {
  private readonly digest: string;

  private constructor(private readonly files: Record<string, string>) {
    this.digest = contentDigest(files);
  }

  /** The scripts of these names, with the modules that they import. */
  public static named(...names: string[]): ScriptFiles {
    return new ScriptFiles(scriptsNamed(...names));
  }

  /** The scripts as a mount. The ConfigMap is named by its content, so that a changed script replaces the pods. */
  public mount(scope: Construct, labels: ObjectLabels): kplus.VolumeMount {
    const configMap = new kplus.ConfigMap(scope, 'scripts', {
      metadata: { name: `${scope.node.id}-scripts-${this.digest}`, labels: labels.all },
      immutable: true,
      data: this.files,
    });
    const volume = kplus.Volume.fromConfigMap(scope, 'scripts-volume', configMap, { name: 'scripts' });
    return { path: SCRIPT_FOLDER, volume, readOnly: true };
  }
}

/** The command that runs a script. */
export function scriptCommand(script: string, ...args: string[]): string[] {
  return [script.endsWith('.sh') ? 'sh' : 'python', `${SCRIPT_FOLDER}/${script}`, ...args];
}
