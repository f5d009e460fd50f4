import type { Cron } from 'cdk8s';

import type { Problems } from './problems';

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: string[];
}

const FIELDS: Field[] = [
  { name: 'minute', least: 0, most: 59 },
  { name: 'hour', least: 0, most: 23 },
  { name: 'day', least: 1, most: 31 },
  {
    name: 'month',
    least: 1,
    most: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'weekDay', least: 0, most: 6, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** When a CronJob runs: Kubernetes refuses what is wrong with it only at the apply. */
export function checkSchedule(problems: Problems, prop: string, schedule: Cron, timeZone: string | undefined): void {
  const parts = schedule.expressionString.split(' ');
  FIELDS.forEach((field, i) => {
    const text = parts[i] ?? '';
    if (parts.length !== FIELDS.length || !text.split(',').every((item) => isItem(field, item))) {
      problems.add(
        `${prop}.${field.name}`,
        `must be made of *, numbers from ${String(field.least)} to ${String(field.most)}, ranges, lists and steps, as cron has them`,
        text,
      );
    }
  });
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    problems.add(
      'timeZone',
      'must be a name of the IANA time zone database',
      timeZone,
      'Write Europe/Berlin or Etc/UTC.',
    );
  }
}

function isItem(field: Field, item: string): boolean {
  const [range = '', step, ...rest] = item.split('/');
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) {
    return false;
  }
  if (range === '*' || range === '?') {
    return true;
  }
  const bounds = range.split('-').map((bound) => numberOf(field, bound));
  const [from = NaN, to = from] = bounds;
  return bounds.length <= 2 && field.least <= from && from <= to && to <= field.most;
}

function numberOf(field: Field, text: string): number {
  const word = field.words?.indexOf(text.toLowerCase()) ?? -1;
  return word >= 0 ? word + field.least : /^\d+$/.test(text) ? Number(text) : NaN;
}

// Kubernetes looks zones up as files, so that the case counts, and knows no offsets such as +01:00.
function isTimeZone(name: string): boolean {
  if (!/^(UTC|[A-Z]\w+(\/[A-Z][-+\w]*)+)$/.test(name)) {
    return false;
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
