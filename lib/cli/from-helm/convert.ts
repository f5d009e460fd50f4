import type { Program } from '../code/code';

import type { Chart } from './chart';
import { finish } from './finish';
import { noteErrors, noteKeys, noteSame, noteSecrets } from './key-notes';
import { Release, type ReleaseNames } from './release';
import { ruleTable, setKeys } from './rule';
import { withoutSecrets } from './secrets';
import { shellWord } from './shell';
import { Values } from './values';
import { InputError } from '../command';
import { type Data, isData } from './data';
import { mergeValues, type ValuesFile } from './values-file';

/** An app, with what the user should know about it. */
export interface Conversion {
  readonly program: Program;
  readonly release: Release;
  /** Number of keys that the user sets. */
  readonly keys: number;
  readonly unknown: readonly string[];
  readonly chart: Chart;
  readonly data: Data;
}

/** Converts the values of a release of a chart into an app. */
export function convert(
  chart: Chart,
  files: readonly ValuesFile[],
  name: string,
  namespace: string,
  takesOver = false,
): Conversion {
  const valuesOf = (data: Data): Values => new Values(data, (key) => placeOf(files, key));
  const releaseOf = (values: Values): Release => {
    const release = new Release({ ...chart.namesOf(values, name, namespace), takesOver });
    for (const rule of chart.rules) {
      rule.convert?.(values, release);
    }
    finish(release);
    return release;
  };
  const data = withReleaseNames(mergeValues(files), { Name: name, Namespace: namespace }) as Data;
  const table = ruleTable(chart.rules);
  const values = valuesOf(data);
  const set = setKeys(table, values);
  const release = releaseOf(values);
  if (values.problems.length > 0) {
    throw new InputError([...new Set(values.problems)].join('\n'));
  }
  noteKeys(release, values, set, table);
  const elsewhere = files.flatMap((file) => file.elsewhere ?? []);
  if (elsewhere.length > 0) {
    release.note('to do', elsewhere, 'More values, which were not read: give their files, too, before this one.');
  }
  noteSame(release, data, set, (less) => releaseOf(valuesOf(less)));
  const unknown = set.flatMap(({ key, rule }) => (rule === undefined ? [key] : []));
  return { program: programOf(chart, release, data), release, keys: set.length, unknown, chart, data };
}

/** The conversion with notes for what the library refuses: the app is synthesized for it. */
export function tried(conversion: Conversion): Conversion {
  const { chart, release, data } = conversion;
  noteErrors(release, data);
  return { ...conversion, program: programOf(chart, release, data) };
}

function programOf(chart: Chart, release: Release, data: Data): Program {
  noteSecrets(release, data);
  return withoutSecrets(release.program(descriptionOf(chart, release)));
}

/** Values with the names of the release in the place of the templates `{{ .Release.Name }}` and `{{ .Release.Namespace }}`. */
function withReleaseNames(of: unknown, names: Readonly<Record<string, string>>): unknown {
  if (typeof of === 'string') {
    return of.replace(/\{\{-?\s*\$?\.Release\.(Name|Namespace)\s*-?\}\}/g, (_, name: string) => names[name] ?? '');
  }
  if (Array.isArray(of)) {
    return of.map((each) => withReleaseNames(each, names));
  }
  return isData(of)
    ? Object.fromEntries(Object.entries(of).map(([key, each]) => [key, withReleaseNames(each, names)]))
    : of;
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
    ({ key, value, isLiteral }) =>
      `--from-literal=${shellWord(key)}=${isLiteral === true ? shellWord(value) : shellWord(`<${value}>`)}`,
  );
  return [
    `  kubectl create secret generic ${shellWord(name)} --namespace ${namespace} \\`,
    ...literals.map((each, i) => `    ${each}${i < literals.length - 1 ? ' \\' : ''}`),
  ];
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
