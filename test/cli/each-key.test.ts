import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { InputError } from '../../lib/cli/command';
import { type Conversion, convert } from '../../lib/cli/from-helm/convert';
import { type Data, mergeData } from '../../lib/cli/from-helm/data';
import { keysOf, ruleOf, ruleTable } from '../../lib/cli/from-helm/rule';

import { chartOf } from './charts';

/** Values of all types that a key may have, in the order in which they are tried. */
const VALUES = [
  7,
  'some-text',
  true,
  false,
  ['some-text'],
  { some: 'text' },
  [{ name: 'some' }],
  '8Gi',
  '1m',
  'Recreate',
];
/** Keys that take one of a few texts. */
const CHOICES: Readonly<Record<string, unknown>> = {
  'image.pullPolicy': 'Always',
  'service.type': 'NodePort',
  'tracking.service.type': 'NodePort',
  'log.level': 'debug',
};

function nested(key: string, value: unknown): Data {
  return key.split('.').reduceRight<unknown>((below, part) => ({ [part]: below }), value) as Data;
}

/** The conversion, or nothing if a value is of a wrong type. */
function converted(chart: string, data: Data): Conversion | undefined {
  try {
    return convert(chartOf(chart), [{ name: 'values', data, lineOf: () => undefined }], 'mlflow', 'mlflow');
  } catch (error) {
    if (error instanceof InputError) {
      return undefined;
    }
    throw error;
  }
}

const app = ({ program, release }: Conversion): string =>
  JSON.stringify([program.statements.map(({ code }) => code), release.secrets]);
/**
 * Whether a note names the key, or what is above or below it. One that was there before counts only if the key has a rule
 * without a conversion, whose note is about all that is below a key.
 */
function isNamed(key: string, chart: string, after: Conversion, before: Conversion): boolean {
  const isConverted = ruleOf(ruleTable(chartOf(chart).rules), key)?.convert !== undefined;
  const old = isConverted ? before.release.notes.map((note) => JSON.stringify(note)) : [];
  return after.release.notes
    .filter((note) => !old.includes(JSON.stringify(note)))
    .some(({ keys }) => keys.some((each) => `${each}.`.startsWith(`${key}.`) || key.startsWith(`${each}.`)));
}

const lists = [
  ['community', 'community', ''],
  ['community', 'bitnami-postgresql', 'postgresql.'],
  ['official', 'official', ''],
  ['bitnami', 'bitnami', ''],
  ['bitnami', 'bitnami-postgresql', 'postgresql.'],
] as const;

const keysIn = (list: string, above: string): string[] =>
  readFileSync(join(__dirname, 'keys', `${list}.txt`), 'utf8')
    .trim()
    .split('\n')
    .flatMap(keysOf)
    .map((key) => above + key);

test('there are keys of three charts', () => {
  expect(lists.flatMap(([, list, above]) => keysIn(list, above)).length).toBeGreaterThan(1200);
});

describe.each(lists)('%s, keys of %s', (chart, list, above) => {
  const keys = keysIn(list, above);
  const flags = new Set([...keys, 'postgresql.enabled'].filter((key) => key.endsWith('.enabled')));
  /** What a key belongs to, switched on. */
  const contextOf = (key: string): Data =>
    key
      .split('.')
      .map((_, i, parts) => [...parts.slice(0, i), 'enabled'].join('.'))
      .filter((flag) => flag !== key && flags.has(flag))
      .reduce<Data>((data, flag) => mergeData(data, nested(flag, true)), {});

  test('each changes the app, or a note names it', () => {
    const silent = keys.filter((key) => {
      const context = contextOf(key);
      const before = converted(chart, context);
      const tried = key in CHOICES ? [CHOICES[key]] : VALUES;
      let after: Conversion | undefined;
      for (let i = 0; after === undefined && i < tried.length; i++) {
        after = converted(chart, mergeData(context, nested(key, tried[i])));
      }
      return (
        after === undefined ||
        before === undefined ||
        (app(after) === app(before) && !isNamed(key, chart, after, before))
      );
    });
    expect(silent).toEqual([]);
  });
});
