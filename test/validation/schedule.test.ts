import { Cron, type CronOptions, Testing } from 'cdk8s';

import { Problems } from '../../lib/validation/problems';
import { checkSchedule, checkTimeZone } from '../../lib/validation/schedule';

function problemsOf(check: (problems: Problems) => void): string {
  const problems = new Problems(Testing.chart());
  check(problems);
  try {
    problems.throwIfAny();
    return '';
  } catch (error) {
    return (error as Error).message.replace('[test] ', '');
  }
}

const scheduleProblem = (options: CronOptions): string =>
  problemsOf((problems) => {
    checkSchedule(problems, 'schedule', Cron.schedule(options));
  });

const zoneProblem = (zone: string): string =>
  problemsOf((problems) => {
    checkTimeZone(problems, 'timeZone', zone);
  });

test.each<CronOptions>([
  {},
  { minute: '0', hour: '0', day: '1', month: '1', weekDay: '0' },
  { minute: '59', hour: '23', day: '31', month: '12', weekDay: '6' },
  { minute: '*/15', hour: '8-18/2', day: '1,15', month: 'jan-MAR', weekDay: 'Mon-Fri' },
  { minute: '5/10' },
])('%j is a schedule', (options) => {
  expect(scheduleProblem(options)).toBe('');
});

const WORDS = 'ranges (a-b) or steps (*/n), with commas between';

test.each<[CronOptions, string]>([
  [{ minute: '60' }, `\`schedule.minute\` must be *, numbers from 0 to 59, ${WORDS}, got "60".`],
  [{ hour: '24' }, `\`schedule.hour\` must be *, numbers from 0 to 23, ${WORDS}, got "24".`],
  [{ hour: '-1' }, `\`schedule.hour\` must be *, numbers from 0 to 23, ${WORDS}, got "-1".`],
  [{ day: '0' }, `\`schedule.day\` must be *, numbers from 1 to 31, ${WORDS}, got "0".`],
  [{ month: 'jux' }, `\`schedule.month\` must be *, numbers from 1 to 12, names such as feb, ${WORDS}, got "jux".`],
  [{ weekDay: '7' }, `\`schedule.weekDay\` must be *, numbers from 0 to 6, names such as mon, ${WORDS}, got "7".`],
  [{ minute: '*/0' }, `\`schedule.minute\` must be *, numbers from 0 to 59, ${WORDS}, got "*/0".`],
  [{ minute: '5-1' }, `\`schedule.minute\` must be *, numbers from 0 to 59, ${WORDS}, got "5-1".`],
  [{ minute: '1,' }, `\`schedule.minute\` must be *, numbers from 0 to 59, ${WORDS}, got "1,".`],
  [{ minute: '*-5' }, `\`schedule.minute\` must be *, numbers from 0 to 59, ${WORDS}, got "*-5".`],
  [{ minute: '1 2' }, '`schedule` must have five fields without spaces in them, got "1 2 * * * *".'],
])('%j is none', (options, problem) => {
  expect(scheduleProblem(options)).toBe(problem);
});

test.each(['Etc/UTC', 'UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
  '%s is a zone',
  (zone) => {
    expect(zoneProblem(zone)).toBe('');
  },
);

test.each(['Berlin', 'europe/berlin', 'Local', '+01:00', '', 'CEST', '../etc/passwd'])('%j is none', (zone) => {
  const got = zone === '' ? 'an empty string' : `"${zone}"`;
  expect(zoneProblem(zone)).toBe(
    `\`timeZone\` must be a name of the IANA database, such as Europe/Berlin or Etc/UTC, got ${got}.`,
  );
});
