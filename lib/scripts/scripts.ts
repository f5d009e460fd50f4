import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { mountConfigFiles } from '../kube/pod/config-files';
import type { ObjectLabels } from '../kube/pod/labels';

/** Folder of the containers that the scripts are mounted at. */
export const SCRIPT_FOLDER = '/opt/mlflow/scripts';

/** The scripts of the library, by file name: a ConfigMap has no folders. Read once: they do not change while an app runs. */
const SCRIPTS: Record<string, string> = Object.fromEntries(
  readdirSync(__dirname, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(py|sh|sql|json)$/.test(file))
    .map((file): [string, string] => [basename(file), readFileSync(join(__dirname, file), 'utf8')])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
);

const DEPENDENCIES = new Map<string, string[]>();

/** Scripts that go together into a pod. */
export class ScriptFiles {
  // The files of equal scripts are one value, of which mountConfigFiles makes one digest.
  private static readonly KNOWN = new Map<string, ScriptFiles>();

  /** The scripts of these names, with the files that they import or name. */
  public static named(...names: string[]): ScriptFiles {
    const key = names.join();
    const scripts = ScriptFiles.KNOWN.get(key) ?? new ScriptFiles(scriptsNamed(...names));
    ScriptFiles.KNOWN.set(key, scripts);
    return scripts;
  }

  private constructor(private readonly files: Readonly<Record<string, string>>) {}

  /** Mounts the scripts. The ConfigMap is named by its content, so that a changed script replaces the pods. */
  public mount(scope: Construct, labels: ObjectLabels): kplus.VolumeMount {
    return mountConfigFiles(scope, 'scripts', labels, {
      name: `${scope.node.id}-scripts`,
      volumeName: 'scripts',
      path: SCRIPT_FOLDER,
      data: this.files,
    });
  }
}

/** An exit code of the scripts, by its name in exit_codes.py. */
export function exitCode(name: string): number {
  const [, code] = new RegExp(`^${name} = (\\d+)`, 'm').exec(SCRIPTS['exit_codes.py'] ?? '') ?? [];
  if (code === undefined) {
    throw new Error(`exit_codes.py has no ${name}`);
  }
  return Number(code);
}

/** The text of a script that needs no other, for a pod that mounts none. */
export function scriptText(name: string): string {
  return SCRIPTS[name] ?? '';
}

/** The command that runs a script. */
export function scriptCommand(script: string, ...args: string[]): string[] {
  return [script.endsWith('.sh') ? 'sh' : 'python', `${SCRIPT_FOLDER}/${script}`, ...args];
}

/** The scripts of these names and the files of ours that they import or name, by file name. */
export function scriptsNamed(...names: string[]): Record<string, string> {
  const wanted = new Set(names);
  // A set that grows while it is walked is walked to its new end.
  for (const name of wanted) {
    dependenciesOf(name).forEach((file) => wanted.add(file));
  }
  return Object.fromEntries(Object.entries(SCRIPTS).filter(([file]) => wanted.has(file)));
}

function dependenciesOf(name: string): string[] {
  const known = DEPENDENCIES.get(name);
  if (known !== undefined) {
    return known;
  }
  const source = SCRIPTS[name] ?? '';
  const files = name.endsWith('.py')
    ? [...source.matchAll(/^\s*(?:from|import) (\w+)/gm)].map(([, module = '']) => `${module}.py`)
    : [...source.matchAll(/\w+\.(?:sh|sql)\b/g)].map(([file]) => file);
  const dependencies = files.filter((file) => file in SCRIPTS);
  DEPENDENCIES.set(name, dependencies);
  return dependencies;
}
