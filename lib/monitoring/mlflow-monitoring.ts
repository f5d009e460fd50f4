import { ApiObject, Chart } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkId, checkObjectName } from '../validation/checks';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { NetworkPeer } from '../kube/network/network-peer';
import { checkPeers } from '../kube/network/network-route';
import { Problems } from '../validation/problems';
import { METRICS_PATH } from '../server/metrics';

import { type AlertRule, checkRules, renderRule } from './alert-rule';
import { checkThresholds, type Thresholds, thresholdsOf } from './alert-thresholds';
import { dashboardConfigMap } from './dashboard';
import { databaseRow, podRow, requestRow, storageRow } from './dashboard-panels';
import { backupAlerts, databaseAlerts, poolAlerts } from './database-alerts';
import { type MetricSelectors, selectorsOf } from './metric-selectors';
import { MlflowAlert } from './mlflow-alert';
import type { MlflowMonitoringProps } from './mlflow-monitoring-props';
import { type MonitoredServer, monitoredServer } from './monitored-server';
import { PrometheusScrape } from './prometheus-scrape';
import { serverAlerts, volumeAlerts } from './server-alerts';

/**
 * Has Prometheus scrape a server and alert on it, and Grafana show it: a ServiceMonitor (or PodMonitor) and a PrometheusRule
 * for the Prometheus operator, whose CRDs have to be installed, and a dashboard for Grafana's sidecar.
 *
 * The alerts on pods, volumes and backups need kube-state-metrics and the kubelet's metrics, which the chart
 * kube-prometheus-stack brings. docs/metrics.md lists every metric and where it comes from.
 */
export class MlflowMonitoring extends Construct {
  /** The ServiceMonitor or PodMonitor of the server, unless you scrape it by yourself. */
  public readonly monitor?: ApiObject;

  /** That of the exporter of PostgreSQL, where there is one. */
  public readonly exporterMonitor?: ApiObject;

  /** The alerts. */
  public readonly rule: ApiObject;

  /** The ConfigMap with the dashboard. */
  public readonly dashboard: kplus.ConfigMap;

  private readonly namespace?: string;
  private readonly labels: ObjectLabels;
  private readonly monitored: MonitoredServer;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: MlflowMonitoringProps,
  ) {
    super(scope, id);
    const { server, postgresExporter } = props;
    this.namespace = Chart.of(server).namespace;
    this.monitored = monitoredServer(server);
    this.labels = labelsOf('mlflow', server.node.id, 'monitoring');
    const thresholds = thresholdsOf(props.thresholds);
    const problems = new Problems(this);
    this.check(problems, id, thresholds);
    problems.throwIfAny();

    const selectors = selectorsOf({
      namespace: this.namespace ?? '',
      server: server.node.id,
      exporter: postgresExporter?.node.id,
      database: this.monitored.database,
      volumeClaims: [
        ...(this.monitored.claim === undefined ? [] : [this.monitored.claim]),
        ...(props.volumeClaims ?? []),
      ],
      cronJobs: props.backupCronJobs ?? [],
    });
    const { scrape = PrometheusScrape.serviceMonitor(), labels = {} } = props;
    const target = { job: server.node.id, labels: this.monitored.labels, port: 'http', path: METRICS_PATH };
    this.monitor = scrape._monitor(this, 'monitor', { ...target, asksForLogin: true }, labels);
    this.exporterMonitor =
      postgresExporter && scrape._monitor(this, 'exporter-monitor', postgresExporter._target, labels);
    if (this.monitored.isIsolated) {
      server.addClients(props.scrapers ?? [NetworkPeer.PROMETHEUS]);
    }
    this.rule = this.prometheusRule(this.rules(selectors, thresholds));
    this.dashboard = this.grafanaDashboard(selectors);
  }

  private check(problems: Problems, id: string, thresholds: Thresholds): void {
    const { server, scrape, postgresExporter, extraRules = [], excludeAlerts = [] } = this.props;
    checkId(problems, id);
    if (!this.monitored.hasMetrics) {
      problems.say(`\`server\` must count its requests, and "${server.node.id}" does not.`, 'Give it `metrics: true`.');
    }
    if (this.monitored.isHttps && scrape?._isExternal !== true) {
      problems.say(
        '`scrape` must be PrometheusScrape.external() for a server with a `certificate`, whose CA Prometheus has to know.',
        'Write the monitor yourself, with the scheme https and its tlsConfig.',
      );
    }
    if (this.monitored.asksForLogin && scrape?._hasLogin !== true) {
      problems.say(
        `\`scrape\` must have the login of an administrator: "${server.node.id}" asks for one.`,
        'Pass PrometheusScrape.serviceMonitor({ basicAuthSecretName }), or external().',
      );
    }
    if (this.namespace === undefined) {
      problems.say(
        '`server` must be in a chart with a namespace: alerts select by it, or those of two servers would mix.',
        'Give the chart a `namespace`.',
      );
    }
    if (postgresExporter !== undefined && Chart.of(postgresExporter).namespace !== this.namespace) {
      problems.say('`postgresExporter` must be in the namespace of `server`.', 'Make both in one chart.');
    }
    checkPeers(problems, 'scrapers', this.props.scrapers);
    scrape?._check(problems);
    checkThresholds(problems, thresholds);
    for (const prop of ['backupCronJobs', 'volumeClaims'] as const) {
      this.props[prop]?.forEach((name) => {
        checkObjectName(problems, prop, name);
      });
    }
    checkRules(
      problems,
      extraRules,
      Object.values(MlflowAlert).filter((name) => !excludeAlerts.includes(name)),
    );
  }

  private rules(selectors: MetricSelectors, thresholds: Thresholds): AlertRule[] {
    const { server, postgresExporter, excludeAlerts = [], extraRules = [] } = this.props;
    const { isPooled, requestsOfPod } = this.monitored;
    const all = [
      ...serverAlerts({ name: server.node.id, migrationJob: server.migrationJob?.name }, selectors, thresholds),
      ...(postgresExporter === undefined ? [] : databaseAlerts(selectors, thresholds)),
      // Behind a pooler, its connections are not those of the server.
      ...(postgresExporter === undefined || isPooled ? [] : poolAlerts(selectors, requestsOfPod, thresholds)),
      ...volumeAlerts(selectors, thresholds),
      ...backupAlerts(selectors, thresholds),
    ];
    const excluded: string[] = excludeAlerts;
    return [...all.filter(({ name }) => !excluded.includes(name)), ...extraRules];
  }

  /** @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule */
  private prometheusRule(rules: AlertRule[]): ApiObject {
    const { server, labels } = this.props;
    const namespace = String(this.namespace);
    return new ApiObject(this, 'rule', {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: this.node.id, labels: { ...this.labels.all, ...labels } },
      spec: {
        groups: [
          {
            name: `${namespace}/${server.node.id}`,
            rules: rules.map((rule) => renderRule(rule, { namespace, service: server.node.id })),
          },
        ],
      },
    });
  }

  private grafanaDashboard(selectors: MetricSelectors): kplus.ConfigMap {
    const { server, postgresExporter, dashboardLabels, dashboardAnnotations } = this.props;
    return dashboardConfigMap(
      this,
      {
        name: `${this.node.id}-dashboard`,
        title: `MLflow ${String(this.namespace)}/${server.node.id}`,
        labels: { ...this.labels.all, ...(dashboardLabels ?? { grafana_dashboard: '1' }) },
        annotations: dashboardAnnotations,
      },
      [
        requestRow(selectors),
        podRow(selectors),
        ...(postgresExporter === undefined ? [] : [databaseRow(selectors)]),
        storageRow(selectors),
      ],
    );
  }
}
