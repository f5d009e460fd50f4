import type { Release } from './release';
import { isEmpty, type Values } from './values';
import { type Data, isData } from './data';

/**
 * What becomes of some keys of a chart: a part of the app, or nothing, for a reason.
 *
 * A key is a path such as `image.tag`; `image.{repository,tag}` are two, and `run.**` all below `run`.
 */
export interface Rule {
  readonly keys: string;
  /** Adds to the app what the keys say. It is called without them, too: then the defaults of the chart count. */
  readonly convert?: (values: Values, release: Release) => void;
  /** Why the app needs no counterpart: nothing is lost. */
  readonly leaveOut?: string;
  /** What to do, where the library has no counterpart. */
  readonly doInstead?: string;
}

/** The keys of a pattern. */
export function keysOf(pattern: string): string[] {
  const start = pattern.indexOf('{');
  if (start === -1) {
    return [pattern];
  }
  // Alternatives may have braces themselves: the outermost first, so that each key comes once.
  const ends = [start];
  let depth = 0;
  let i = start;
  do {
    const character = pattern[i];
    depth += character === '{' ? 1 : character === '}' ? -1 : 0;
    if (depth === 0 || (depth === 1 && character === ',')) {
      ends.push(i);
    }
    i++;
  } while (depth > 0 && i < pattern.length);
  const alternatives = ends.slice(1).map((end, j) => pattern.slice((ends[j] ?? 0) + 1, end).trim());
  return alternatives.flatMap((each) => keysOf(pattern.slice(0, start) + each + pattern.slice(i)));
}

/** The rule of each key. */
export function ruleTable(rules: readonly Rule[]): ReadonlyMap<string, Rule> {
  return new Map(rules.flatMap((rule) => keysOf(rule.keys).map((key) => [key, rule] as const)));
}

/** The rule of a key, which may be that of all below a key above it. */
export function ruleOf(table: ReadonlyMap<string, Rule>, key: string): Rule | undefined {
  const parts = key.split('.');
  const above = parts.map((_, i) => `${parts.slice(0, i + 1).join('.')}.**`);
  return table.get(key) ?? above.map((each) => table.get(each)).find((rule) => rule !== undefined);
}

/** A key that the user sets, with its rule, if there is one. */
export interface SetKey {
  readonly key: string;
  readonly rule?: Rule;
}

/** All keys that the user sets. Those without a rule are unknown to the chart. */
export function setKeys(table: ReadonlyMap<string, Rule>, values: Values): SetKey[] {
  const known = [...table.keys()];
  const walk = (data: Data, above: string): SetKey[] =>
    Object.entries(data).flatMap(([name, value]) => {
      const key = above + name;
      const rule = table.get(key);
      const isAbove = known.some((each) => each.startsWith(`${key}.`));
      if (rule !== undefined || isEmpty(value)) {
        return isEmpty(value) ? [] : [{ key, rule }];
      }
      if (isData(value) && (isAbove || ruleOf(table, key) === undefined)) {
        return walk(value, `${key}.`);
      }
      if (isAbove && !isData(value)) {
        values.problem(key, 'a map', value);
        return [];
      }
      return [{ key, rule: ruleOf(table, key) }];
    });
  return walk(values.data, '');
}
