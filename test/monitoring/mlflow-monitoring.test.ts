import { Chart, Duration, Testing } from 'cdk8s';
import {
  AlertSeverity,
  BitnamiPasswords,
  BitnamiPostgres,
  ExistingSecretPostgres,
  MlflowAlert,
  MlflowAuth,
  MlflowMonitoring,
  type MlflowMonitoringProps,
  NetworkPeer,
  Persistence,
  PgBouncer,
  PoolingProfile,
  PostgresExporter,
  PrometheusScrape,
  SecretKey,
  TlsCertificate,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { anyBackend, chart, type Manifest, only, server } from '../support/synth';
import { edges } from '../support/edges';

import { alertsOf, dashboardOf, fullyMonitored, monitored, panelExpressions } from './monitored';

const synth = (...args: Parameters<typeof monitored>): Manifest[] => Testing.synth(monitored(...args));

test('makes a monitor, the alerts and the dashboard', () => {
  const made = synth().filter((m) => /monitoring.coreos.com/.test(m.apiVersion) || m.kind === 'ConfigMap');
  expect(made.map((m) => `${m.kind}/${m.metadata.name}`.replace(/[0-9a-f]{8}$/, '…'))).toEqual([
    'ConfigMap/chart-scripts-…',
    'ConfigMap/chart-postgres-service-…',
    'ServiceMonitor/mlflow',
    'PrometheusRule/monitoring',
    'ConfigMap/monitoring-dashboard',
  ]);
});

describe('scraping', () => {
  const endpoint = {
    port: 'http',
    path: '/metrics',
    interval: '30s',
    relabelings: [{ action: 'replace', targetLabel: 'job', replacement: 'mlflow' }],
  };

  test('the ServiceMonitor finds the port of the Service, whatever the prefix and the port', () => {
    const manifests = synth({ server: { staticPrefix: '/team', service: { port: 80 } } });
    const { spec, metadata } = only(manifests, 'ServiceMonitor');
    const service = only(manifests, 'Service');
    expect(spec).toEqual({ selector: { matchLabels: service.spec.selector }, endpoints: [endpoint] });
    expect(service.metadata.labels).toMatchObject(spec.selector.matchLabels);
    expect(service.spec.ports.map((port: Manifest) => port.name)).toContain('http');
    expect(metadata.namespace).toBe('team');
  });

  test('a PodMonitor finds the port of the container', () => {
    const manifests = synth({
      monitoring: { scrape: PrometheusScrape.podMonitor({ interval: Duration.minutes(1) }) },
    });
    const { spec } = only(manifests, 'PodMonitor');
    const { template } = only(manifests, 'Deployment').spec;
    expect(spec.podMetricsEndpoints).toEqual([{ ...endpoint, interval: '60s' }]);
    expect(template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    expect(template.spec.containers[0].ports).toContainEqual({ name: 'http', containerPort: 5000 });
  });

  test('with a login for the server, not for the exporter', () => {
    const login = { basicAuthSecretName: 'scraper', usernameKey: 'user', passwordKey: 'pass' };
    const manifests = synth({
      monitoring: { scrape: PrometheusScrape.serviceMonitor(login) },
      exporter: true,
    });
    const auth = (name: string): Manifest => only(manifests, 'ServiceMonitor', name).spec.endpoints[0].basicAuth;
    expect(auth('mlflow')).toEqual({
      username: { name: 'scraper', key: 'user' },
      password: { name: 'scraper', key: 'pass' },
    });
    expect(auth('exporter')).toBeUndefined();
    const byDefault = PrometheusScrape.podMonitor({ basicAuthSecretName: 'scraper' });
    const [first] = only(synth({ monitoring: { scrape: byDefault } }), 'PodMonitor').spec.podMetricsEndpoints;
    expect([first.basicAuth.username.key, first.basicAuth.password.key]).toEqual(['username', 'password']);
  });

  test('by yourself leaves the alerts and the dashboard', () => {
    const kinds = synth({ exporter: true, monitoring: { scrape: PrometheusScrape.external() } }).map((m) => m.kind);
    expect(kinds.filter((kind) => kind.endsWith('Monitor'))).toEqual([]);
    expect(kinds).toContain('PrometheusRule');
  });

  test('Prometheus selects monitors and rules by the labels that it wants', () => {
    const manifests = synth({ exporter: true, monitoring: { labels: { release: 'stack' } } });
    const labelled = manifests.filter((m) => m.metadata.labels.release === 'stack');
    expect(labelled.map((m) => `${m.kind}/${m.metadata.name}`)).toEqual([
      'ServiceMonitor/mlflow',
      'ServiceMonitor/exporter',
      'PrometheusRule/monitoring',
    ]);
  });
});

describe('alerts', () => {
  const names = (manifests: Manifest[]): string[] => Object.keys(alertsOf(manifests));

  test('all of them, where all that they need is there', () => {
    expect(names(fullyMonitored()).sort()).toEqual(Object.values(MlflowAlert).sort());
  });

  test('none that could never fire', () => {
    const none = new VolumeArtifacts({ persistence: Persistence.none() });
    expect(names(synth({ server: { artifactRoot: none } }))).toEqual([
      MlflowAlert.SERVER_DOWN,
      MlflowAlert.PODS_UNAVAILABLE,
      MlflowAlert.PODS_RESTARTING,
      MlflowAlert.ERROR_RATIO,
      MlflowAlert.LATENCY,
      MlflowAlert.MIGRATION_FAILED,
    ]);
  });

  test('each has a severity, a summary, a runbook, and says whose it is', () => {
    for (const { labels, annotations } of Object.values(alertsOf(fullyMonitored()))) {
      expect(labels).toEqual({
        severity: expect.stringMatching(/^(critical|warning)$/),
        namespace: 'team',
        service: 'mlflow',
      });
      expect(annotations).toEqual({ summary: expect.stringMatching(/\.$/), description: expect.stringMatching(/\.$/) });
    }
  });

  test('thresholds are the caller’s', () => {
    const alerts = alertsOf(
      fullyMonitored({
        thresholds: {
          errorRatio: 0.01,
          latency: Duration.millis(500),
          restarts: 5,
          poolUsage: 0.7,
          connectionUsage: 0.6,
          volumeUsage: 0.5,
          backupAge: Duration.days(8),
        },
      }),
    );
    const ends = (alert: MlflowAlert): string => alerts[alert].expr.split(' > ').pop();
    expect(ends(MlflowAlert.ERROR_RATIO)).toBe('0.01');
    expect(ends(MlflowAlert.LATENCY)).toBe('0.5');
    expect(ends(MlflowAlert.PODS_RESTARTING)).toBe('5');
    expect(ends(MlflowAlert.POOL_NEARLY_FULL)).toBe('0.7');
    expect(ends(MlflowAlert.CONNECTIONS_NEARLY_USED_UP)).toBe('0.6');
    expect(ends(MlflowAlert.VOLUME_NEARLY_FULL)).toBe('0.5');
    expect(alerts[MlflowAlert.BACKUP_TOO_OLD].expr.match(/ > 691200/g)).toHaveLength(2);
  });

  test('some can be left out and others added', () => {
    const alerts = alertsOf(
      synth({
        monitoring: {
          excludeAlerts: [MlflowAlert.LATENCY, MlflowAlert.ERROR_RATIO],
          extraRules: [
            { name: 'Idle', expression: 'vector(1)', summary: 'Nobody is there.' },
            {
              name: MlflowAlert.LATENCY,
              expression: 'vector(2)',
              duration: Duration.hours(1),
              severity: AlertSeverity.INFO,
              summary: 'Slow.',
              runbook: 'Wait.',
            },
          ],
        },
      }),
    );
    expect(alerts).not.toHaveProperty(MlflowAlert.ERROR_RATIO);
    const whose = { namespace: 'team', service: 'mlflow' };
    expect(alerts.Idle).toEqual({
      alert: 'Idle',
      expr: 'vector(1)',
      labels: { severity: 'warning', ...whose },
      annotations: { summary: 'Nobody is there.' },
    });
    expect(alerts[MlflowAlert.LATENCY]).toEqual({
      alert: 'MlflowLatency',
      expr: 'vector(2)',
      for: '3600s',
      labels: { severity: 'info', ...whose },
      annotations: { summary: 'Slow.', description: 'Wait.' },
    });
  });

  test('the migration that runs is the one that is watched', () => {
    const manifests = fullyMonitored();
    const { name } = only(manifests, 'Job').metadata;
    expect(alertsOf(manifests)[MlflowAlert.MIGRATION_FAILED].expr).toContain(`job_name="${name}"`);
    expect(alertsOf(synth())[MlflowAlert.MIGRATION_FAILED].expr).not.toContain('kube_job_failed');
  });

  test('a pool is as large as the requests of a pod, in the server’s database alone', () => {
    const pooling = new PoolingProfile({ poolSize: 7, maxOverflow: 1 });
    const { expr } = alertsOf(synth({ exporter: true, server: { workers: 3, pooling } }))[MlflowAlert.POOL_NEARLY_FULL];
    expect(expr).toContain('(count(up{namespace="team",job="mlflow"}) * 21) > 0.9');
    expect(expr).toContain('{namespace="team",job="exporter",datname="mlflow",');
  });

  test('a database whose name is in a Secret is not selected by its name', () => {
    const backend = (scope: Chart) =>
      ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', { secretName: 'app' });
    const { expr } = alertsOf(synth({ exporter: true, backend }))[MlflowAlert.POOL_NEARLY_FULL];
    expect(expr).toContain('pg_stat_activity_count{namespace="team",job="exporter",state=');
  });

  test('behind a pooler, connections say nothing of the server', () => {
    const backend = (scope: Chart) => new PgBouncer(scope, 'pgbouncer', { backend: anyBackend(scope) });
    const alerts = names(synth({ exporter: true, backend }));
    expect(alerts).toContain(MlflowAlert.DATABASE_DOWN);
    expect(alerts).not.toContain(MlflowAlert.POOL_NEARLY_FULL);
  });

  test('volumes are the claim of the artifacts, new or existing, and those that are named', () => {
    const volumes = (options: Parameters<typeof monitored>[0]): string =>
      /persistentvolumeclaim=~"([^"]+)"/.exec(alertsOf(synth(options))[MlflowAlert.VOLUME_NEARLY_FULL].expr)?.[1] ?? '';
    expect(volumes({})).toBe('mlflow-artifacts');
    const existing = new VolumeArtifacts({ persistence: Persistence.existingClaim('shared.models') });
    expect(volumes({ server: { artifactRoot: existing }, volumeClaims: ['data-postgres-0'] })).toBe(
      String.raw`shared\\.models|data-postgres-0`,
    );
  });
});

describe('the dashboard', () => {
  test('is found by Grafana’s sidecar, by labels of the caller’s if need be', () => {
    const labels = (manifests: Manifest[]): Manifest => only(manifests, 'ConfigMap', 'monitoring-dashboard').metadata;
    expect(labels(synth()).labels).toMatchObject({ grafana_dashboard: '1' });
    const own = { dashboardLabels: { dashboards: 'ml' }, dashboardAnnotations: { grafana_folder: 'ML' } };
    const metadata = labels(synth({ monitoring: own }));
    expect(metadata.labels).toMatchObject({ dashboards: 'ml' });
    expect(metadata.labels).not.toHaveProperty('grafana_dashboard');
    expect(metadata.annotations).toEqual({ grafana_folder: 'ML' });
  });

  test('has a title, an identity that lasts, and a data source to choose', () => {
    const first = dashboardOf(synth());
    expect(first).toMatchObject({ title: 'MLflow team/mlflow', templating: { list: [{ type: 'datasource' }] } });
    expect(dashboardOf(fullyMonitored()).uid).toBe(first.uid);
    expect(dashboardOf(synth({ namespace: 'other' })).uid).not.toBe(first.uid);
  });

  test('no two panels have one id or one place, and each query its own letter', () => {
    const { panels } = dashboardOf(fullyMonitored());
    const distinct = (values: Manifest[]): number => new Set(values.map((value) => JSON.stringify(value))).size;
    expect(distinct(panels.map((panel: Manifest) => panel.id))).toBe(panels.length);
    expect(distinct(panels.map(({ gridPos }: Manifest) => [gridPos.x, gridPos.y]))).toBe(panels.length);
    const queries = panels.flatMap((panel: Manifest) =>
      (panel.targets ?? []).map((t: Manifest) => [panel.id, t.refId]),
    );
    expect(distinct(queries)).toBe(queries.length);
  });

  test('shows what there is', () => {
    const rows = (manifests: Manifest[]): string[] =>
      dashboardOf(manifests).panels.flatMap((panel: Manifest) => (panel.type === 'row' ? [panel.title] : []));
    expect(rows(fullyMonitored())).toEqual(['Requests', 'Pods', 'PostgreSQL', 'Storage']);
    const none = new VolumeArtifacts({ persistence: Persistence.none() });
    expect(rows(synth({ server: { artifactRoot: none } }))).toEqual(['Requests', 'Pods']);
    expect(panelExpressions(synth()).filter((each) => each.includes('cronjob'))).toEqual([]);
  });
});

test('an isolated server lets Prometheus in', () => {
  const isolated = (monitoring: Partial<MlflowMonitoringProps> = {}): string[] =>
    edges(synth({ server: { isolation: { clients: [] } }, monitoring }), 'mlflow').filter((edge) =>
      edge.startsWith('in'),
    );
  expect(isolated()).toEqual(['in 5000/TCP from name=prometheus of metadata.name=monitoring']);
  expect(isolated({ scrapers: [NetworkPeer.inNamespace('observability')] })).toEqual([
    'in 5000/TCP from every pod of metadata.name=observability',
  ]);
});

describe('bad props', () => {
  test('a server with a certificate, which a monitor of ours could not verify', () => {
    const certificate = TlsCertificate.fromSecretName('tls');
    expect(() => synth({ server: { certificate } })).toThrow(
      new Error(
        '[chart/monitoring] `scrape` must have `tls`, since "mlflow" has a `certificate`, whose CA Prometheus has to trust. Pass PrometheusScrape.serviceMonitor({ tls: { ca } }), or external().',
      ),
    );
    const scrape = PrometheusScrape.external();
    expect(() => synth({ server: { certificate }, monitoring: { scrape } })).not.toThrow();
  });

  test('a server that asks Prometheus for a login', () => {
    const key = SecretKey.fromSecretName('auth', 'key');
    const asking = {
      auth: MlflowAuth.basic({ adminPassword: key, flaskSecretKey: key }),
      encryption: { passphrase: key },
    };
    const message = new Error(
      '[chart/monitoring] `scrape` must have the login of an administrator, which "mlflow" requires. Pass PrometheusScrape.serviceMonitor({ basicAuthSecretName }), or external().',
    );
    expect(() => synth({ server: asking })).toThrow(message);
    expect(() => synth({ server: asking, monitoring: { scrape: PrometheusScrape.podMonitor() } })).toThrow(message);
    const basicAuthSecretName = 'scraper';
    for (const scrape of [
      PrometheusScrape.external(),
      PrometheusScrape.serviceMonitor({ basicAuthSecretName }),
      PrometheusScrape.podMonitor({ basicAuthSecretName }),
    ]) {
      expect(() => synth({ server: asking, monitoring: { scrape } })).not.toThrow();
    }
  });

  test('a server that does not count, in no namespace', () => {
    const scope = chart();
    expect(() => new MlflowMonitoring(scope, 'monitoring', { server: server(scope) })).toThrow(
      new Error(
        [
          '[chart/monitoring] `server` must count its requests, and "mlflow" does not. Set its `metrics: true`.',
          '[chart/monitoring] `server` must be in a chart with a namespace, by which its alerts differ from those of other servers. Set the `namespace` of the chart.',
        ].join('\n'),
      ),
    );
  });

  test('an exporter elsewhere', () => {
    const scope = chart('team');
    const elsewhere = new Chart(scope, 'elsewhere', { namespace: 'databases' });
    const postgresExporter = new PostgresExporter(elsewhere, 'exporter', { backend: anyBackend(elsewhere) });
    expect(
      () => new MlflowMonitoring(scope, 'monitoring', { server: server(scope, { metrics: true }), postgresExporter }),
    ).toThrow(
      new Error('[chart/monitoring] `postgresExporter` must be in the namespace of `server`. Make both in one chart.'),
    );
  });

  test('all else, at once', () => {
    const monitoring = {
      scrape: PrometheusScrape.serviceMonitor({
        interval: Duration.millis(1500),
        basicAuthSecretName: 'Scraper',
        usernameKey: 'a b',
        passwordKey: '/',
      }),
      thresholds: {
        errorRatio: 5,
        poolUsage: 0,
        connectionUsage: 1,
        volumeUsage: NaN,
        latency: Duration.seconds(10),
        restarts: 0,
        backupAge: Duration.seconds(0),
      },
      extraRules: [
        { name: 'MlflowLatency', expression: '', summary: 'Slow.' },
        { name: 'not-a-name', expression: 'up', summary: 'Down.', duration: Duration.millis(10) },
        { name: 'Twice', expression: 'up', summary: 'Up.' },
        { name: 'Twice', expression: 'up', summary: 'Up.' },
      ],
    };
    expect(() => monitored({ monitoring })).toThrow(
      new Error(
        [
          '`extraRules[0].expression` must be given, got an empty string. If it comes from an environment variable, set that before the synthesis.',
          '`thresholds.volumeUsage` must be given or left out, got NaN. If it comes from an environment variable, set that before the synthesis.',
          '`scrape.interval` must be a whole number of seconds from 1, got 1.5.',
          '`scrape.basicAuthSecretName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Scraper".',
          '`scrape.usernameKey` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "a b".',
          '`scrape.passwordKey` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "/".',
          '`thresholds.errorRatio` must be a share between 0 and 1, got 5. For 85 percent, write 0.85.',
          '`thresholds.poolUsage` must be a share between 0 and 1, got 0. For 85 percent, write 0.85.',
          '`thresholds.connectionUsage` must be a share between 0 and 1, got 1. For 85 percent, write 0.85.',
          '`thresholds.latency` must be more than 0 and less than 10 seconds, got 10. The histogram of MLflow ends there.',
          '`thresholds.restarts` must be a whole number from 1, got 0.',
          '`thresholds.backupAge` must be more than 0 seconds, got 0.',
          '`extraRules[0].name` must be unique, got "MlflowLatency". Exclude the other with `excludeAlerts`, or rename this one.',
          '`extraRules[1].name` must be letters, digits and underscores, got "not-a-name".',
          '`extraRules[1].duration` must be a whole number of seconds from 1, got 0.01. Leave it out for an alert that fires at once.',
          '`extraRules[3].name` must be unique, got "Twice". Exclude the other with `excludeAlerts`, or rename this one.',
        ]
          .map((text) => `[chart/monitoring] ${text}`)
          .join('\n'),
      ),
    );
  });
});

test('a database of this library is watched as it is', () => {
  const passwords = BitnamiPasswords.fromLiterals({ postgresPassword: 'secret' });
  const manifests = synth({
    exporter: true,
    backend: (scope) => new BitnamiPostgres(scope, 'postgres', { passwords }),
  });
  expect(only(manifests, 'ServiceMonitor', 'exporter').spec.endpoints[0].port).toBe('http-metrics');
});
