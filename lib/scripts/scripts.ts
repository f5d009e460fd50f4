import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type * as kplus from 'cdk8s-plus-28';
import type { Construct, IConstruct } from 'constructs';

import { type FilesContent, mountSharedFiles } from '../kube/pod/shared-files';

import { zipOf } from './zip/zip';

/** Form of the ConfigMaps of scripts. Pods run the same scripts in both. */
export enum ScriptFormat {
  /** The text of each script. */
  READABLE = 'readable',
  /** All Python of a ConfigMap as one line, a zip archive that Python runs as it is; scripts for a shell and SQL as texts. */
  COMPACT = 'compact',
}

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
const FORMATS = new WeakMap<IConstruct, ScriptFormat>();
const NAMES = new Map(Object.entries(SCRIPTS).map(([file, text]) => [text, file]));
/** Name of the zip in a ConfigMap of the compact form. */
export const ZIP = 'scripts.zip';

/** Scripts that go together into a pod. */
export class ScriptFiles {
  // The files of equal scripts are one value, of which one digest and one zip are made.
  private static readonly KNOWN = new Map<string, ScriptFiles>();

  /** The scripts of these names, with the files that they import or name. */
  public static named(...names: string[]): ScriptFiles {
    const key = names.join();
    const scripts = ScriptFiles.KNOWN.get(key) ?? new ScriptFiles(scriptsNamed(...names));
    ScriptFiles.KNOWN.set(key, scripts);
    return scripts;
  }

  private readonly readable: FilesContent;
  private compact?: FilesContent;

  private constructor(private readonly files: Readonly<Record<string, string>>) {
    this.readable = { data: files };
  }

  /** Mounts the scripts, of a ConfigMap that all pods of the chart with the same scripts share. */
  public mount(scope: Construct, volumeName?: string): kplus.VolumeMount {
    return mountSharedFiles(scope, {
      app: 'mlflow',
      name: 'scripts',
      volumeName,
      path: SCRIPT_FOLDER,
      files: this.files,
      content: (chart) => (scriptFormatOf(chart) === ScriptFormat.COMPACT ? this.zipped() : this.readable),
    });
  }

  private zipped(): FilesContent {
    if (this.compact === undefined) {
      const all = Object.entries({ ...this.files, ...scriptsNamed('__main__.py') });
      const isPython = ([file]: [string, string]): boolean => file.endsWith('.py');
      const others = all.filter((each) => !isPython(each)).map(([file, text]) => [file, shortened(file, text)]);
      const zip = zipOf(Object.fromEntries(all.filter(isPython))).toString('base64');
      this.compact = { data: Object.fromEntries(others) as FilesContent['data'], binaryData: { [ZIP]: zip } };
    }
    return this.compact;
  }
}

/** JSON in one line. */
function shortened(file: string, text: string): string {
  return file.endsWith('.json') ? JSON.stringify(JSON.parse(text)) : text;
}

/** Sets the form of the scripts of an app, or of a chart. */
export function setScriptFormat(scope: IConstruct, format: ScriptFormat): void {
  FORMATS.set(scope, format);
}

/** The form of the scripts in pods of a scope. */
function scriptFormatOf({ node }: IConstruct): ScriptFormat {
  const [format] = [...node.scopes].reverse().flatMap((scope) => FORMATS.get(scope) ?? []);
  return format ?? ScriptFormat.READABLE;
}

/** The command that runs a script in the pods of a scope, for people. */
export function scriptCommandIn(scope: IConstruct, script: string, ...args: string[]): string[] {
  const command = scriptCommand(script, ...args);
  return scriptFormatOf(scope) === ScriptFormat.COMPACT ? argumentsInZip(command) : command;
}

/** Arguments that run a script from its zip, where they name the file of a script; all others as they are. */
export function argumentsInZip(args: readonly string[]): string[] {
  return args.flatMap((each) => {
    const [, script] = /^\/opt\/mlflow\/scripts\/(\w+)\.py$/.exec(each) ?? [];
    return script === undefined ? [each] : [`${SCRIPT_FOLDER}/${ZIP}`, script];
  });
}

/** A PYTHONPATH that finds the scripts in their zip. */
export function pythonPathInZip(path: string): string {
  return path.replace(new RegExp(`^${SCRIPT_FOLDER}(?=:|$)`), `${SCRIPT_FOLDER}/${ZIP}`);
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

/** The name of the script with this text. */
export function nameOfScript(text: unknown): string | undefined {
  return typeof text === 'string' ? NAMES.get(text) : undefined;
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
