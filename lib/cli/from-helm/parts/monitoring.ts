import { call, cdk8s, type Code, construct, list, mlflow, struct, textMap, value, variable } from '../../code/code';

import type { Monitor } from '../monitor';
import type { Release } from '../release';
import { type Data, entryOf } from '../data';

import { TYPES } from '../../../validation/public-api';
import { typed } from './pod';
import { duration, resourcesOf, seconds } from './quantities';

/** Notes the monitoring of the server, which is added when its login is known. */
export function addMonitoring(release: Release, monitor: Monitor): void {
  release.monitor = monitor;
  release.set('metrics', value(true));
}

/** Adds the monitoring of the server. */
export function finishMonitoring(release: Release): void {
  const { monitor } = release;
  if (monitor === undefined) {
    return;
  }
  const interval = monitor.interval === undefined ? undefined : seconds(monitor.interval);
  const timeout = monitor.timeout === undefined ? undefined : seconds(monitor.timeout);
  for (const [name, text] of Object.entries({ interval: monitor.interval, timeout: monitor.timeout })) {
    if (text !== undefined && seconds(text) === undefined) {
      release.note('to do', monitor.keys, `The ${name} ${text} is no time such as 30s: set \`${name}\` of the scrape.`);
    }
  }
  const limited = timeout === undefined ? undefined : Math.min(timeout, interval ?? 30);
  const [key = ''] = monitor.keys;
  const login = release.login === 'basic' ? `${release.names.server}-metrics-login` : undefined;
  const options = struct(mlflow('PrometheusScrapeOptions'), {
    interval: interval === undefined || interval === 30 ? undefined : duration(interval),
    timeout: limited === undefined || limited === 10 ? undefined : duration(limited),
    tls: release.propOf('certificate') === undefined ? undefined : struct(mlflow('ScrapeTlsOptions'), {}),
    relabelings: relabelings(release, `${key}.relabelings`, monitor.relabelings),
    metricRelabelings: relabelings(release, `${key}.metricRelabelings`, monitor.metricRelabelings),
    basicAuthSecretName: login === undefined ? undefined : value(login),
  });
  const hasOptions = options.kind === 'struct' && options.fields.length > 0;
  if (login !== undefined) {
    release.need({
      name: login,
      keys: [
        { key: 'username', value: 'the name of an administrator' },
        { key: 'password', value: 'the password of that administrator' },
      ],
    });
  }
  if (release.login === 'custom') {
    release.note(
      'to do',
      monitor.keys,
      'Set `basicAuthSecretName` of PrometheusScrape.serviceMonitor() if the app of the login asks Prometheus for one.',
    );
  }
  release.addAfter({
    code: construct(
      mlflow('MlflowMonitoring'),
      `${release.names.server}-monitoring`,
      struct(mlflow('MlflowMonitoringProps'), {
        server: variable('server'),
        scrape: hasOptions ? call(mlflow('PrometheusScrape'), 'serviceMonitor', options) : undefined,
        labels: Object.keys(monitor.labels).length === 0 ? undefined : textMap(monitor.labels),
      }),
    ),
  });
  release.note(
    'changed',
    monitor.keys,
    'The ServiceMonitor is in the namespace of the server: Prometheus must look there (serviceMonitorNamespaceSelector). Alerts and a dashboard come with it.',
  );
}

/** Adds the garbage collection. */
export function addGarbageCollection(
  release: Release,
  collection: {
    readonly keys: readonly string[];
    readonly schedule: string;
    readonly olderThan?: string;
    readonly resources: Data;
    readonly resourcesKey: string;
  },
): void {
  const { keys, schedule, olderThan } = collection;
  const age = olderThan === undefined ? 30 * 86_400 : ageOf(olderThan);
  const [minute, hour, day, month, weekDay] = schedule.trim().split(/\s+/);
  if (weekDay === undefined || age === undefined) {
    release.note(
      'to do',
      keys,
      `Add an MlflowGarbageCollection: the schedule ${schedule} or the age ${olderThan ?? ''} is of another form than expected.`,
    );
    return;
  }
  if (olderThan === undefined) {
    release.note(
      'changed',
      keys,
      'The chart deletes what was marked as deleted a moment ago, too. The app waits for 30 days (`olderThan`), in which a deletion can be undone.',
    );
  }
  const cron = struct(cdk8s('CronOptions'), {
    minute: value(minute ?? '0'),
    hour: value(hour ?? '*'),
    day: value(day ?? '*'),
    month: value(month ?? '*'),
    weekDay: value(weekDay),
  });
  release.addAfter({
    code: construct(
      mlflow('MlflowGarbageCollection'),
      `${release.names.server}-gc`,
      struct(mlflow('MlflowGarbageCollectionProps'), {
        server: variable('server'),
        schedule: { kind: 'new', name: cdk8s('Cron'), args: [cron] },
        olderThan: duration(age),
        resources: resourcesOf(release, collection.resourcesKey, collection.resources),
      }),
    ),
  });
}

/** An age such as `7d12h`, in seconds. */
function ageOf(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+)([a-z]+)/g)];
  const units: Record<string, number> = { d: 86_400, h: 3600, m: 60, s: 1 };
  const sum = parts.reduce(
    (total, [, digits = '', unit = '']) => total + Number(digits) * (entryOf(units, unit) ?? NaN),
    0,
  );
  return parts.length > 0 && parts.map(([part]) => part).join('') === text && Number.isFinite(sum) && sum > 0
    ? sum
    : undefined;
}

function relabelings(release: Release, key: string, of: readonly Data[] = []): Code | undefined {
  const known = Object.keys(TYPES.Relabeling?.struct ?? {});
  const code = of.map((each) => typed(release, key, mlflow('Relabeling'), each, known));
  return code.length === 0 ? undefined : list(code);
}
