import { Cron, Duration, Testing } from 'cdk8s';
import {
  FileSource,
  MlflowGarbageCollection,
  PrometheusScrape,
  type ScrapeTlsOptions,
  TlsCertificate,
} from 'cdk8s-mlflow';

import { chart, type Manifest, only, server as serverIn } from '../support/synth';

import { alertsOf, monitored } from './monitored';

const synth = (...args: Parameters<typeof monitored>): Manifest[] => Testing.synth(monitored(...args));

describe('a monitor', () => {
  const endpoint = {
    port: 'http',
    path: '/metrics',
    interval: '30s',
    relabelings: [{ action: 'replace', targetLabel: 'job', replacement: 'mlflow' }],
  };

  test('verifies the certificate of the server, and not of the exporter', () => {
    const server = { certificate: TlsCertificate.fromSecretName('mlflow-tls') };
    const monitors = (tls: ScrapeTlsOptions): Manifest[] => {
      const manifests = synth({ server, exporter: true, monitoring: { scrape: PrometheusScrape.podMonitor({ tls }) } });
      return ['mlflow', 'exporter'].map((name) => only(manifests, 'PodMonitor', name).spec.podMetricsEndpoints[0]);
    };
    const [first, exporter] = monitors({ ca: FileSource.fromConfigMap('ca', 'ca.crt') });
    expect(first).toEqual({
      ...endpoint,
      port: 'https',
      scheme: 'https',
      tlsConfig: { ca: { configMap: { name: 'ca', key: 'ca.crt' } }, serverName: 'mlflow.team.svc' },
    });
    expect([exporter.scheme, exporter.tlsConfig]).toEqual([undefined, undefined]);
    const [other] = monitors({ ca: FileSource.fromSecret('mlflow-tls', 'ca.crt'), serverName: 'mlflow.example.com' });
    expect(other.tlsConfig).toEqual({
      ca: { secret: { name: 'mlflow-tls', key: 'ca.crt' } },
      serverName: 'mlflow.example.com',
    });
    expect(monitors({})[0].tlsConfig).toEqual({ serverName: 'mlflow.team.svc' });
  });

  test('with a timeout and relabelings', () => {
    const relabelings = [{ sourceLabels: ['__meta_kubernetes_pod_node_name'], targetLabel: 'node' }];
    const metricRelabelings = [{ sourceLabels: ['__name__'], regex: 'python_.*', action: 'drop' }];
    const scrape = PrometheusScrape.serviceMonitor({ timeout: Duration.seconds(20), relabelings, metricRelabelings });
    const { spec } = only(synth({ monitoring: { scrape } }), 'ServiceMonitor');
    expect(spec.endpoints).toEqual([
      {
        ...endpoint,
        scrapeTimeout: '20s',
        relabelings: [...endpoint.relabelings, ...relabelings],
        metricRelabelings,
      },
    ]);
  });

  test('refuses what Prometheus would', () => {
    const scrape = PrometheusScrape.serviceMonitor({
      timeout: Duration.seconds(31),
      tls: { ca: FileSource.fromSecret('A_B', 'ca.crt'), serverName: 'mlflow:5000' },
      relabelings: [{ action: 'Replace' }, { action: 'rename' }],
      metricRelabelings: [{ action: 'no' }],
    });
    const actions =
      'must be one of replace, keep, drop, hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase, keepequal, dropequal';
    expect(() => synth({ monitoring: { scrape } })).toThrow(
      new Error(
        [
          '`scrape.timeout` must be at most `interval`, 30 s, got "31 s".',
          '`scrape.tls.ca` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A_B".',
          '`scrape.tls.serverName` must be a host name, without a port, got "mlflow:5000".',
          `\`scrape.relabelings[1].action\` ${actions}, got "rename".`,
          `\`scrape.metricRelabelings[0].action\` ${actions}, got "no".`,
        ]
          .map((line) => `[chart/monitoring] ${line}`)
          .join('\n'),
      ),
    );
  });
});

describe('the alert', () => {
  test('one on a run that failed, by the names of the CronJobs', () => {
    const alert = alertsOf(synth({ collects: true })).MlflowOperationFailed;
    const jobs = '{namespace="team",cronjob=~"gc"}';
    expect(alert).toMatchObject({
      expr:
        `((kube_cronjob_status_last_schedule_time${jobs} > on (namespace, cronjob) kube_cronjob_status_last_successful_time${jobs})` +
        ` or (kube_cronjob_status_last_schedule_time${jobs} unless on (namespace, cronjob) kube_cronjob_status_last_successful_time${jobs}))` +
        ` and on (namespace, cronjob) kube_cronjob_status_active${jobs} == 0`,
      for: '300s',
      labels: { severity: 'warning' },
    });
  });

  test('none on CronJobs of another namespace', () => {
    const other = chart('other');
    const gc = new MlflowGarbageCollection(other, 'gc', {
      server: serverIn(other),
      schedule: Cron.daily(),
      olderThan: Duration.days(30),
    });
    expect(() => synth({ monitoring: { operations: [gc] } })).toThrow(
      new Error(
        '[chart/monitoring] `operations` must be in the namespace of `server`, and "gc" is not. Make them in one chart.',
      ),
    );
  });
});
