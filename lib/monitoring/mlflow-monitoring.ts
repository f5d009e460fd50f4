import { type ApiObject, Chart } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkId } from '../validation/checks';
import { checkConstruct } from '../validation/arguments';
import { labelsOf } from '../kube/pod/labels';
import { checkAnnotations, checkLabels } from '../kube/values/metadata';
import { NetworkPeer } from '../kube/network/network-peer';
import { checkPeers } from '../kube/network/network-route';
import { problemsOf } from '../kube/construct';
import type { Problems } from '../validation/problems';

import { checkRules, prometheusRule } from './alert-rule';
import { checkThresholds, type Thresholds, thresholdsOf } from './alert-thresholds';
import { alertsOf } from './alerts';
import { dashboardConfigMap } from './dashboard';
import { rowsOf } from './dashboard-panels';
import { selectorsOf } from './metric-selectors';
import { MlflowAlert } from './mlflow-alert';
import type { MlflowMonitoringProps } from './mlflow-monitoring-props';
import { PrometheusScrape } from './prometheus-scrape';

/**
 * Monitors a server: a ServiceMonitor (or PodMonitor) and a PrometheusRule for the Prometheus operator, whose CRDs must be
 * installed, and a dashboard for Grafana's sidecar.
 *
 * The alerts on pods, volumes and backups need kube-state-metrics and the kubelet's metrics, which the chart
 * kube-prometheus-stack installs. docs/metrics.md lists every metric and its source.
 */
export class MlflowMonitoring extends Construct {
  /** The ServiceMonitor or PodMonitor of the server; none with `PrometheusScrape.external()`. */
  public readonly monitor?: ApiObject;

  /** The monitor of `postgresExporter`, where there is one. */
  public readonly exporterMonitor?: ApiObject;

  /** The PrometheusRule with the alerts. */
  public readonly rule: ApiObject;

  /** The ConfigMap with the dashboard. */
  public readonly dashboard: kplus.ConfigMap;

  public constructor(scope: Construct, id: string, props: MlflowMonitoringProps) {
    super(...checkConstruct('MlflowMonitoring', scope, id, props));
    const { server, postgresExporter, scrape = PrometheusScrape.serviceMonitor(), labels = {} } = props;
    const { serverName, serverNamespace, metricsEndpoint } = server;
    const thresholds = thresholdsOf(props.thresholds);
    const problems = problemsOf(this);
    checkMonitoring(problems, id, props, thresholds);
    problems.throwIfAny();

    const target = {
      job: serverName,
      namespace: serverNamespace,
      labels: { selector: server.podSelector, all: labelsOf('mlflow', serverName, 'server').all },
      port: metricsEndpoint?.portName ?? '',
      path: metricsEndpoint?.path ?? '',
      asksForLogin: true,
      serverName: metricsEndpoint?.https === true ? `${serverName}.${String(serverNamespace)}.svc` : undefined,
    };
    this.monitor = scrape._monitor(this, 'monitor', target, labels);
    this.exporterMonitor =
      postgresExporter && scrape._monitor(this, 'exporter-monitor', postgresExporter._target, labels);
    if (server.isolation !== undefined) {
      server.addClients(props.scrapers ?? [NetworkPeer.PROMETHEUS]);
    }

    const selectors = selectorsOf(props);
    const excluded: string[] = props.excludeAlerts ?? [];
    const alerts = alertsOf(server, selectors, thresholds).filter(({ name }) => !excluded.includes(name));
    const ownLabels = labelsOf('mlflow', serverName, 'monitoring').all;
    const namespace = String(serverNamespace);
    this.rule = prometheusRule(this, [...alerts, ...(props.extraRules ?? [])], {
      labels: { ...ownLabels, ...labels },
      namespace,
      service: serverName,
    });
    this.dashboard = dashboardConfigMap(this, {
      name: `${id}-dashboard`,
      title: `MLflow ${namespace}/${serverName}`,
      labels: { ...ownLabels, ...(props.dashboardLabels ?? { grafana_dashboard: '1' }) },
      annotations: props.dashboardAnnotations,
      rows: rowsOf(selectors),
    });
  }
}

function checkMonitoring(problems: Problems, id: string, props: MlflowMonitoringProps, thresholds: Thresholds): void {
  const { server, scrape, postgresExporter, extraRules = [], excludeAlerts = [] } = props;
  const { metricsEndpoint: endpoint, serverName, serverNamespace } = server;
  checkId(problems, id);
  if (endpoint === undefined) {
    problems.say(`\`server\` must count its requests, and "${serverName}" does not.`, 'Set its `metrics: true`.');
  }
  if (endpoint?.https === true && scrape?._verifiesTls !== true) {
    problems.say(
      `\`scrape\` must have \`tls\`, since "${serverName}" has a \`certificate\`, whose CA Prometheus has to trust.`,
      'Pass PrometheusScrape.serviceMonitor({ tls: { ca } }), or external().',
    );
  }
  if (endpoint?.requiresLogin === true && scrape?._hasLogin !== true) {
    problems.say(
      `\`scrape\` must have the login of an administrator, which "${serverName}" requires.`,
      'Pass PrometheusScrape.serviceMonitor({ basicAuthSecretName }), or external().',
    );
  }
  if (serverNamespace === undefined) {
    problems.say(
      '`server` must be in a chart with a namespace, by which its alerts differ from those of other servers.',
      'Set the `namespace` of the chart.',
    );
  }
  if (postgresExporter !== undefined && Chart.of(postgresExporter).namespace !== serverNamespace) {
    problems.say('`postgresExporter` must be in the namespace of `server`.', 'Make both in one chart.');
  }
  for (const { node, cronJob } of props.operations ?? []) {
    if (Chart.of(cronJob).namespace !== serverNamespace) {
      problems.say(
        `\`operations\` must be in the namespace of \`server\`, and "${node.id}" is not.`,
        'Make them in one chart.',
      );
    }
  }
  checkLabels(problems, 'labels', props.labels);
  checkLabels(problems, 'dashboardLabels', props.dashboardLabels);
  checkAnnotations(problems, 'dashboardAnnotations', props.dashboardAnnotations);
  checkPeers(problems, 'scrapers', props.scrapers);
  scrape?._check(problems);
  checkThresholds(problems, thresholds);
  checkRules(
    problems,
    extraRules,
    Object.values(MlflowAlert).filter((name) => !excludeAlerts.includes(name)),
  );
}
