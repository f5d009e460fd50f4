import { trialErrors } from '../code/trial';
import type { NoteKind, Release } from './release';
import { type Rule, ruleOf, type SetKey } from './rule';
import { hidden, withoutSecrets } from './secrets';
import { hasPlaceholder, type Values } from './values';
import { type Data, isData, plain } from './data';

/** Notes for all keys that the app has no part for. */
export function noteKeys(
  release: Release,
  values: Values,
  set: readonly SetKey[],
  table: ReadonlyMap<string, Rule>,
): void {
  noteByRule(release, values, set);
  noteUnknown(release, values.data, set, table);
  noteTemplates(release, values);
}

/** What the rule of a key says of it. */
function noteByRule(release: Release, values: Values, set: readonly SetKey[]): void {
  const notes = new Map<string, { kind: NoteKind; keys: string[] }>();
  const add = (kind: NoteKind, text: string, key: string): void => {
    const note = notes.get(text) ?? { kind, keys: [] };
    note.keys.push(key);
    notes.set(text, note);
  };
  for (const { key, rule } of set.filter((each) => each.rule !== undefined)) {
    const isRead = rule?.convert !== undefined && values.wasRead(key);
    if (!isRead && (rule?.convert !== undefined || isOff(values.data, key))) {
      add('no effect', 'What they belong to is off.', key);
    } else if (rule?.doInstead !== undefined && key.endsWith('.enabled') && at(values.data, key) === false) {
      add('left out', 'They are off, as in the app.', key);
    } else if (rule?.doInstead !== undefined) {
      add('to do', rule.doInstead, key);
    } else if (rule?.leaveOut !== undefined) {
      add('left out', rule.leaveOut, key);
    }
  }
  for (const [text, { kind, keys }] of notes) {
    release.note(kind, keys, text);
  }
}

function noteUnknown(release: Release, data: Data, set: readonly SetKey[], table: ReadonlyMap<string, Rule>): void {
  const unknown = set.filter(({ rule }) => rule === undefined).map(({ key }) => key);
  if (unknown.length === 0) {
    return;
  }
  const isBelow = (name: string): boolean =>
    unknown.some((key) => key.startsWith(`${name}.`) && ruleOf(table, key.slice(name.length + 1)) !== undefined);
  const umbrella = Object.keys(data).find((name) => isData(data[name]) && isBelow(name));
  release.note(
    'unknown',
    unknown,
    'The chart has no such keys, as far as is known here. They are not in the app.' +
      (umbrella === undefined ? '' : ` Those below \`${umbrella}\` are read with --at ${umbrella}.`),
  );
}

function noteTemplates(release: Release, values: Values): void {
  const keys = leavesOf(values.data).flatMap(({ key, text }) =>
    hasPlaceholder(text) && !values.placeholders.has(key) ? [key] : [],
  );
  if (keys.length > 0) {
    release.note(
      'to do',
      keys,
      'They have a template of Helm or a placeholder, which is text in the app: put its result there.',
    );
  }
  if (values.placeholders.size > 0) {
    release.note(
      'to do',
      [...values.placeholders],
      "They have a placeholder where a number, a name, a list or true or false has to be: the app has the chart's default.",
    );
  }
}

/**
 * Notes for keys that were read, and that neither change the app nor have a note: found by leaving out one after the other. Of
 * lists and maps, such as variables, each entry is left out, too.
 */
export function noteSame(
  release: Release,
  data: Data,
  set: readonly SetKey[],
  releaseOf: (data: Data) => Release,
): void {
  const whole = appOf(release);
  const noted = release.notes.flatMap(({ keys }) => keys);
  const isNoted = (key: string): boolean => noted.some((each) => each === key || each.startsWith(`${key}.`));
  const isSame = (path: readonly string[]): boolean => appOf(releaseOf(without(data, path))) === whole;
  const same = set
    .filter(({ rule }) => rule?.convert !== undefined)
    .flatMap(({ key }) => {
      const path = key.split('.');
      if (!isNoted(key) && isSame(path)) {
        return [key];
      }
      return entriesOf(at(data, key))
        .filter(({ place, name }) => !isNoted(`${key}.${name}`) && isSame([...path, place]))
        .map(({ name }) => `${key}.${name}`);
    });
  if (same.length > 0) {
    release.note(
      'same',
      same,
      'The app is the same without them: that is its default, another key decides, or a Secret has the value.',
    );
  }
}

/** A note for passwords that the app would have in plain text. */
export function noteSecrets(release: Release, data: Data): void {
  const found = new Set<string>();
  withoutSecrets(release.program([]), found);
  if (found.size === 0 || release.notes.some(({ text }) => text === SECRETS)) {
    return;
  }
  const isFound = (text: string): boolean =>
    found.has(text) || (hidden(text) !== text && [...found].some((each) => each.includes(text)));
  const keys = leavesOf(data).flatMap(({ key, text }) => (isFound(text) ? [key] : []));
  release.note('to do', keys.length === 0 ? 'the app' : keys, SECRETS);
}

const SECRETS = 'A password is in the values. The app has <password> in its place: take it from a Secret.';

/** Notes for what the library refuses, such as a name that is none: the app has it as the values say it. */
export function noteErrors(release: Release, data: Data): void {
  for (const error of trialErrors(release.program([]))) {
    const keys = leavesOf(data).flatMap(({ key, text }) => (isGot(text, error) ? [key] : []));
    release.note(
      'to do',
      keys.length === 0 ? 'the app' : keys,
      `It does not synthesize before this is mended: ${error}`,
    );
  }
}

function isGot(text: string, error: string): boolean {
  return text !== '' && (error.includes(JSON.stringify(text)) || error.includes(`got ${text}.`));
}

/** All texts in the values, with their keys. */
function leavesOf(of: unknown, key = ''): { readonly key: string; readonly text: string }[] {
  if (typeof of !== 'object' || of === null) {
    return [{ key, text: plain(of) }];
  }
  return Object.entries(of).flatMap(([name, each]) =>
    leavesOf(each, Array.isArray(of) ? `${key}[${name}]` : key === '' ? name : `${key}.${name}`),
  );
}

/** What a release makes. Notes are no part of it. */
function appOf(release: Release): string {
  return JSON.stringify([
    release.program([]).statements.map(({ code, variable }) => [variable, code]),
    release.secrets,
  ]);
}

/** Entries of a list or a map that has more than one. */
function entriesOf(of: unknown): { readonly place: string; readonly name: string }[] {
  const entries = Object.entries(typeof of === 'object' && of !== null ? of : {});
  const names = entries.map(([place, each]) => (Array.isArray(of) && isData(each) ? plain(each.name) || place : place));
  return entries.length < 2 ? [] : entries.map(([place], i) => ({ place, name: names[i] ?? place }));
}

function without(of: unknown, [first = '', ...rest]: readonly string[]): Data {
  if (Array.isArray(of)) {
    return of.filter((_, i) => String(i) !== first) as unknown as Data;
  }
  const { [first]: below, ...others } = isData(of) ? of : {};
  return rest.length === 0 ? others : { ...others, [first]: without(below, rest) };
}

/** Whether something above a key is off. */
function isOff(data: Data, key: string): boolean {
  const parts = key.split('.');
  return parts.some((_, i) => {
    const above = at(data, parts.slice(0, i).join('.'));
    return i > 0 && isData(above) && above.enabled === false && key !== [...parts.slice(0, i), 'enabled'].join('.');
  });
}

function at(data: Data, key: string): unknown {
  return key.split('.').reduce<unknown>((of, part) => (isData(of) ? of[part] : undefined), data);
}
