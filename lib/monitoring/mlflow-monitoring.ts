import { ApiObject, Chart } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkId } from '../validation/checks';
import { checkConstruct } from '../validation/arguments';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { NetworkPeer } from '../kube/network/network-peer';
import { checkPeers } from '../kube/network/network-route';
import { Problems } from '../validation/problems';
import type { MetricsEndpoint } from '../server/mlflow-server-reference';

import { type AlertRule, checkRules, renderRule } from './alert-rule';
import { checkThresholds, type Thresholds, thresholdsOf } from './alert-thresholds';
import { dashboardConfigMap } from './dashboard';
import { databaseRow, podRow, requestRow, storageRow } from './dashboard-panels';
import { backupAlerts, databaseAlerts, poolAlerts } from './database-alerts';
import { type MetricSelectors, selectorsOf } from './metric-selectors';
import { MlflowAlert } from './mlflow-alert';
import type { MlflowMonitoringProps } from './mlflow-monitoring-props';
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

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: MlflowMonitoringProps,
  ) {
    super(...checkConstruct('MlflowMonitoring', scope, id, props));
    const { server, postgresExporter } = props;
    const { metricsEndpoint } = server;
    this.namespace = server.serverNamespace;
    this.labels = labelsOf('mlflow', server.serverName, 'monitoring');
    const thresholds = thresholdsOf(props.thresholds);
    const problems = new Problems(this);
    this.check(problems, id, thresholds, metricsEndpoint);
    problems.throwIfAny();

    const claims = [
      ...(server.artifacts.claimName === undefined ? [] : [server.artifacts.claimName]),
      ...(props.volumeClaims ?? []).map(({ name }) => name),
    ];
    const selectors = selectorsOf({
      namespace: this.namespace ?? '',
      server: server.serverName,
      exporter: postgresExporter?.node.id,
      database: server.backend.connection.database.value as string | undefined,
      volumeClaims: claims,
      cronJobs: (props.backups ?? []).map(({ cronJob }) => cronJob.name),
    });
    const { scrape = PrometheusScrape.serviceMonitor(), labels = {} } = props;
    const target = {
      job: server.serverName,
      labels: { selector: server.podSelector, all: labelsOf('mlflow', server.serverName, 'server').all },
      port: metricsEndpoint?.portName ?? '',
      path: metricsEndpoint?.path ?? '',
    };
    this.monitor = scrape._monitor(this, 'monitor', { ...target, asksForLogin: true }, labels);
    this.exporterMonitor =
      postgresExporter && scrape._monitor(this, 'exporter-monitor', postgresExporter._target, labels);
    if (server.isolation !== undefined) {
      server.addClients(props.scrapers ?? [NetworkPeer.PROMETHEUS]);
    }
    this.rule = this.prometheusRule(this.rules(selectors, thresholds));
    this.dashboard = this.grafanaDashboard(selectors);
  }

  private check(problems: Problems, id: string, thresholds: Thresholds, endpoint?: MetricsEndpoint): void {
    const { server, scrape, postgresExporter, extraRules = [], excludeAlerts = [] } = this.props;
    checkId(problems, id);
    if (endpoint === undefined) {
      problems.say(
        `\`server\` must count its requests, and "${server.serverName}" does not.`,
        'Give it `metrics: true`.',
      );
    }
    if (endpoint?.https === true && scrape?._isExternal !== true) {
      problems.say(
        '`scrape` must be PrometheusScrape.external() for a server with a `certificate`, whose CA Prometheus has to know.',
        'Write the monitor yourself, with the scheme https and its tlsConfig.',
      );
    }
    if (endpoint?.requiresLogin === true && scrape?._hasLogin !== true) {
      problems.say(
        `\`scrape\` must have the login of an administrator: "${server.serverName}" asks for one.`,
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
    checkRules(
      problems,
      extraRules,
      Object.values(MlflowAlert).filter((name) => !excludeAlerts.includes(name)),
    );
  }

  private rules(selectors: MetricSelectors, thresholds: Thresholds): AlertRule[] {
    const { server, postgresExporter, excludeAlerts = [], extraRules = [] } = this.props;
    const isPooled = server.backend.connection.bypass !== undefined;
    const all = [
      ...serverAlerts({ name: server.serverName, migrationJob: server.migrationJob?.name }, selectors, thresholds),
      ...(postgresExporter === undefined ? [] : databaseAlerts(selectors, thresholds)),
      // Behind a pooler, its connections are not those of the server.
      ...(postgresExporter === undefined || isPooled ? [] : poolAlerts(selectors, server.requestsPerPod, thresholds)),
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
            name: `${namespace}/${server.serverName}`,
            rules: rules.map((rule) => renderRule(rule, { namespace, service: server.serverName })),
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
        title: `MLflow ${String(this.namespace)}/${server.serverName}`,
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
