import { Cron, type CronOptions, Testing } from 'cdk8s';

import { Problems } from '../../lib/kube/problems';
import { checkSchedule } from '../../lib/kube/schedule';

function check(options: CronOptions, timeZone?: string): () => void {
  const problems = new Problems(Testing.chart());
  checkSchedule(problems, 'schedule', Cron.schedule(options), timeZone);
  return () => {
    problems.throwIfAny();
  };
}

test.each<CronOptions>([
  { minute: '0', hour: '3' },
  { minute: '*/15', hour: '8-18/2', day: '1,15', month: 'jan-MAR', weekDay: 'Mon,wed' },
  { minute: '5', hour: '?', day: '31', month: '12', weekDay: '0-6' },
])('takes %j', (options) => {
  expect(check(options)).not.toThrow();
});

test.each<CronOptions>([
  { minute: '' },
  { minute: '1 2' },
  { minute: '*/0' },
  { minute: '1/2/3' },
  { minute: '5-1' },
  { minute: '1-2-3' },
  { minute: '-1' },
  { hour: '24' },
  { day: '0' },
  { day: 'L' },
  { month: '13' },
  { month: 'mon' },
  { weekDay: 'sunday' },
])('refuses %j', (options) => {
  expect(check(options)).toThrow(/`schedule\.\w+` must be made of/);
});

test('says all that is wrong at once', () => {
  expect(check({ minute: '60', hour: '24' })).toThrow(
    new Error(
      [
        '[test] `schedule.minute` must be made of *, numbers from 0 to 59, ranges, lists and steps, as cron has them, got "60".',
        '[test] `schedule.hour` must be made of *, numbers from 0 to 23, ranges, lists and steps, as cron has them, got "24".',
      ].join('\n'),
    ),
  );
});

test.each(['UTC', 'Etc/UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+1'])('takes %s', (zone) => {
  expect(check({}, zone)).not.toThrow();
});

test.each(['', 'CET+1', '+01:00', 'Local', 'europe/berlin', 'Europe/Nowhere'])('refuses the time zone "%s"', (zone) => {
  expect(check({}, zone)).toThrow('`timeZone` must be a name of the IANA time zone database');
});
