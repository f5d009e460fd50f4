import { isMap, LineCounter, parseAllDocuments } from 'yaml';

import { InputError } from '../command';

/** Data of a YAML file. */
export type Data = Readonly<Record<string, unknown>>;

/** A file with values, as it was read. */
export interface ValuesFile {
  readonly name: string;
  readonly data: Data;
  /** Line of a key, from 1, if the file has it. */
  readonly lineOf: (path: readonly string[]) => number | undefined;
}

/** Parses a file. `at` is the path of the values in it, such as `spec.values` of a HelmRelease. */
export function parseValues(name: string, text: string, at: readonly string[] = []): ValuesFile {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, merge: true });
  const documents = Array.isArray(parsed) ? parsed.filter(({ contents }) => contents !== null) : [];
  const broken = documents.flatMap(({ errors }) => errors);
  if (broken.length > 0) {
    throw new InputError(broken.map(({ message }) => `${name}: ${message.trim()}`).join('\n'));
  }
  const [document, second] = documents;
  if (second !== undefined) {
    throw new InputError(`${name}: a values file is one YAML document, got ${String(documents.length)}.`);
  }
  let whole: unknown;
  try {
    whole = document?.toJS({ maxAliasCount: 1000 }) ?? {};
  } catch (error) {
    throw new InputError(`${name}: ${(error as Error).message}`);
  }
  return {
    name,
    data: valuesAt(name, whole, at),
    lineOf: (path) => {
      const node: unknown = document?.getIn([...at, ...path], true);
      const range = (node as { range?: [number, number, number] } | undefined)?.range;
      const start = range?.[0];
      if (start === undefined) {
        return undefined;
      }
      // A map starts with its first key, on the line below its own.
      return lines.linePos(start).line - (isMap(node) && node.flow !== true ? 1 : 0);
    },
  };
}

/** The values of all files together, as Helm merges them: maps by key, everything else by the last file. */
export function mergeValues(files: readonly ValuesFile[]): Data {
  return files.reduce<Data>((merged, { data }) => merge(merged, data), {});
}

export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(under: Data, over: Data): Data {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key];
    merged[key] = isData(old) && isData(value) ? merge(old, value) : value;
  }
  return merged;
}

function valuesAt(name: string, whole: unknown, at: readonly string[]): Data {
  let value = whole;
  for (const [i, key] of at.entries()) {
    value = isData(value) ? value[key] : undefined;
    if (value === undefined) {
      throw new InputError(`${name}: there is no \`${at.slice(0, i + 1).join('.')}\`, which --at names.`);
    }
  }
  // Argo CD keeps values as text.
  const found = typeof value === 'string' && at.length > 0 ? parseValues(name, value).data : value;
  if (!isData(found)) {
    const what = at.length === 0 ? 'the file' : `\`${at.join('.')}\``;
    throw new InputError(`${name}: ${what} must be a map of values, got ${kindOf(found)}.`);
  }
  return found;
}

/** A text, number or boolean as text; nothing of other types. */
export function plain(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** The type of a value, in the words of YAML. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return 'nothing';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  return isData(value) ? 'a map' : JSON.stringify(value);
}
