import { isMap, isScalar, LineCounter, parseAllDocuments } from 'yaml';

import { InputError } from '../command';
import { type Data, isData, kindOf, mergeData } from './data';
import { isReleaseManifest, manifestValues } from './manifests';

/** A file with values, as it was read. */
export interface ValuesFile {
  readonly name: string;
  readonly data: Data;
  /** Line of a key, from 1, if the file has it. */
  readonly lineOf: (path: readonly string[]) => number | undefined;
  /** Paths in a manifest to values that were not read. */
  readonly elsewhere?: readonly string[];
}

/**
 * Parses a file: values, an Application of Argo CD or a HelmRelease of Flux. `given` is the path of the values in it, such as
 * `mlflow` in those of an umbrella chart.
 */
export function parseValues(name: string, text: string, given: readonly string[] = []): ValuesFile {
  const lines = new LineCounter();
  // Helm reads YAML 1.1: `yes` is true, and 010 is 8. It has neither its times nor its sexagesimal numbers.
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    merge: true,
    version: '1.1',
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isOfOtherPrograms(tag)),
  });
  const documents = Array.isArray(parsed) ? parsed.filter(({ contents }) => !isNothing(contents)) : [];
  const broken = documents.flatMap(({ errors }) => errors);
  if (broken.length > 0) {
    throw new InputError(broken.map(({ message }) => `${name}: ${message.trim()}`).join('\n'));
  }
  // A manifest may have a Namespace and a source of charts beside the release.
  const releases = documents.filter(
    ({ contents }) => isMap(contents) && isReleaseManifest(contents.get('kind'), contents.get('apiVersion')),
  );
  const [document, second] = releases.length === 1 ? releases : documents;
  if (second !== undefined) {
    throw new InputError(`${name}: a values file is one YAML document, got ${String(documents.length)}.`);
  }
  let whole: unknown;
  try {
    whole = document?.toJS({ maxAliasCount: 1000 }) ?? {};
  } catch (error) {
    throw new InputError(`${name}: ${(error as Error).message}`);
  }
  if (containsItself(whole)) {
    throw new InputError(`${name}: an alias stands for what it is in, so that the values have no end.`);
  }
  const manifest = manifestValues(name, whole);
  const isFound = given.length === 0 && manifest !== undefined;
  const at = isFound ? (manifest.at ?? []) : given;
  const isElsewhere = isFound && manifest.at === undefined;
  const parameters = manifest?.parameters ?? {};
  const values = isElsewhere ? {} : valuesAt(name, whole, at);
  if (isElsewhere && Object.keys(parameters).length === 0 && manifest.elsewhere.length > 0) {
    throw new InputError(
      `${name}: the values of this manifest are elsewhere, in \`${manifest.elsewhere.join('`, `')}\`: give those files.`,
    );
  }
  const hasOthers = !isFound && Object.keys(parameters).length > 0;
  return {
    name,
    data: isFound ? mergeData(values, parameters) : values,
    elsewhere: [...(manifest?.elsewhere ?? []), ...(hasOthers ? ['parameters'] : [])],
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
  return files.reduce<Data>((merged, { data }) => mergeData(merged, data), {});
}

function isOfOtherPrograms({ tag, format }: { readonly tag: string; readonly format?: string }): boolean {
  return format === 'TIME' || ['timestamp', 'binary', 'omap', 'pairs', 'set'].includes(tag.split(':').at(-1) ?? '');
}

function isNothing(contents: unknown): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function containsItself(of: unknown, above: readonly unknown[] = []): boolean {
  if (typeof of !== 'object' || of === null) {
    return false;
  }
  return above.includes(of) || Object.values(of).some((each) => containsItself(each, [...above, of]));
}

function valuesAt(name: string, whole: unknown, at: readonly string[]): Data {
  let value = whole;
  for (const [i, key] of at.entries()) {
    value = Array.isArray(value) ? (value as unknown[])[Number(key)] : isData(value) ? value[key] : undefined;
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
