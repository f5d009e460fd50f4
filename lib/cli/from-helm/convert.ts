import type { Program } from '../code/code';

import type { Chart } from './chart';
import { finish } from './finish';
import { Release, type ReleaseNames } from './release';
import { type Rule, ruleTable, setKeys } from './rule';
import { Values } from './values';
import { InputError } from '../command';
import { isData, mergeValues, type ValuesFile } from './values-file';

/** An app, with what the user should know about it. */
export interface Conversion {
  readonly program: Program;
  readonly release: Release;
  /** Number of keys that the user sets. */
  readonly keys: number;
  readonly unknown: readonly string[];
}

/** Converts the values of a release of a chart. */
export function convert(
  chart: Chart,
  files: readonly ValuesFile[],
  name: string,
  namespace: string,
  takesOver = false,
): Conversion {
  const values = new Values(mergeValues(files), (key) => placeOf(files, key));
  const names = { ...chart.namesOf(values, name, namespace), takesOver };
  const release = new Release(names);
  const table = ruleTable(chart.rules);
  const set = setKeys(table, values);
  for (const rule of chart.rules) {
    rule.convert?.(values, release);
  }
  finish(release);
  const unknown = set.flatMap(({ key, rule }) => (rule === undefined ? [key] : []));
  if (values.problems.length > 0) {
    throw new InputError([...new Set(values.problems)].join('\n'));
  }
  noteOthers(release, values, set);
  noteTemplates(release, values);
  return { program: release.program(descriptionOf(chart, release)), release, keys: set.length, unknown };
}

/** Notes for all keys that the app has no part for. */
function noteOthers(
  release: Release,
  values: Values,
  set: readonly { readonly key: string; readonly rule?: Rule }[],
): void {
  const byText = new Map<string, { kind: 'to do' | 'left out'; keys: string[] }>();
  for (const { key, rule } of set) {
    const text = rule?.doInstead ?? rule?.leaveOut;
    if (text !== undefined && !(values.data[key.split('.')[0] ?? ''] === undefined)) {
      const entry = byText.get(text) ?? { kind: rule?.doInstead === undefined ? 'left out' : 'to do', keys: [] };
      byText.set(text, { ...entry, keys: [...entry.keys, key] });
    }
  }
  for (const [text, { kind, keys }] of byText) {
    release.note(kind, keys, text);
  }
  const unused = set
    .filter(({ key, rule }) => rule?.convert !== undefined && !values.wasRead(key))
    .map(({ key }) => key);
  if (unused.length > 0) {
    release.note('no effect', unused, 'What they belong to is off.');
  }
  const unknown = set.filter(({ rule }) => rule === undefined).map(({ key }) => key);
  if (unknown.length > 0) {
    release.note('unknown', unknown, 'The chart has no such keys, as far as is known here. They are not in the app.');
  }
}

function noteTemplates(release: Release, values: Values): void {
  const keys: string[] = [];
  const walk = (of: unknown, path: string): void => {
    if (typeof of === 'string' && of.includes('{{')) {
      keys.push(path);
    } else if (Array.isArray(of)) {
      of.forEach((each, i) => {
        walk(each, `${path}[${String(i)}]`);
      });
    } else if (isData(of)) {
      Object.entries(of).forEach(([name, each]) => {
        walk(each, path === '' ? name : `${path}.${name}`);
      });
    }
  };
  walk(values.data, '');
  if (keys.length > 0) {
    release.note('to do', keys, 'They have a template of Helm, which is text in the app: put its result there.');
  }
}

function descriptionOf(chart: Chart, { names, secrets }: Release): string[] {
  return [
    `MLflow, as a release of the chart ${chart.title} ran it.`,
    ...(secrets.length === 0
      ? []
      : [['Secrets that must exist:', ...secrets.flatMap((secret) => commandOf(secret, names))].join('\n')]),
  ];
}

function commandOf({ name, keys }: Release['secrets'][number], { namespace }: ReleaseNames): string[] {
  const literals = keys.map(
    ({ key, value, isLiteral }) => `--from-literal=${key}=${isLiteral === true ? quoted(value) : `'<${value}>'`}`,
  );
  return [
    `  kubectl create secret generic ${name} --namespace ${namespace} \\`,
    ...literals.map((each, i) => `    ${each}${i < literals.length - 1 ? ' \\' : ''}`),
  ];
}

/** A text as a word of a shell. */
function quoted(text: string): string {
  return /^[\w.@%+:,/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function placeOf(files: readonly ValuesFile[], key: string): string {
  const path = key.replace(/\[(\d+)\]/g, '.$1').split('.');
  for (const { name, lineOf } of [...files].reverse()) {
    const line = lineOf(path);
    if (line !== undefined) {
      return `${name}:${String(line)}`;
    }
  }
  return files.at(-1)?.name ?? 'values';
}
