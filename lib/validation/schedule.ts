import type { Cron } from 'cdk8s';

import type { Problems } from './problems';

/** The fields of a cron expression with their numbers and names, as Kubernetes reads them (robfig/cron). */
const FIELDS: readonly [string, number, number, string[]][] = [
  ['minute', 0, 59, []],
  ['hour', 0, 23, []],
  ['day', 1, 31, []],
  ['month', 1, 12, ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']],
  ['weekDay', 0, 6, ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']],
];

/** Validates a cron schedule: each field is a list of `*`, numbers, names or ranges, with or without a step. */
export function checkSchedule(problems: Problems, prop: string, schedule: Cron | undefined): void {
  const values = schedule?.expressionString.split(' ') ?? [];
  FIELDS.forEach(([field, least, most, names], i) => {
    const value = values[i];
    if (value !== undefined && !value.split(',').every((part) => isPart(part, least, most, names))) {
      problems.add(
        `${prop}.${field}`,
        `must be *, numbers from ${String(least)} to ${String(most)}${names.length === 0 ? '' : ', names such as ' + String(names[1])}, ranges (a-b) or steps (*/n), with commas between`,
        value,
      );
    }
  });
  if (values.length > FIELDS.length) {
    problems.add(prop, 'must have five fields without spaces in them', schedule?.expressionString);
  }
}

/** Validates the name of a time zone in the IANA database. */
export function checkTimeZone(problems: Problems, prop: string, zone: string | undefined): void {
  if (zone !== undefined && !isTimeZone(zone)) {
    problems.add(prop, 'must be a name of the IANA database, such as Europe/Berlin or Etc/UTC', zone);
  }
}

function isPart(part: string, least: number, most: number, names: string[]): boolean {
  const [, from = '', to, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
  const number = (text: string): number => {
    const named = names.indexOf(text.toLowerCase());
    return named >= 0 ? named + least : /^\d+$/.test(text) ? Number(text) : NaN;
  };
  const [first, last] = from === '*' ? [least, to === undefined ? most : NaN] : [number(from), number(to ?? from)];
  return first >= least && last <= most && first <= last && step !== '0';
}

function isTimeZone(zone: string): boolean {
  // Node.js accepts offsets and any case; Kubernetes looks for a file with this name.
  if (!/^[A-Z][-+\w]*(\/[A-Z][-+\w]*)*$/.test(zone) || zone === 'Local') {
    return false;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
