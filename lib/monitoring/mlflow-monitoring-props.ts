import type { IPersistentVolumeClaim } from 'cdk8s-plus-28';

import type { NetworkPeer } from '../kube/network/network-peer';
import type { PostgresBackup } from '../operations/backup/postgres-backup';
import type { IMlflowServer } from '../server/mlflow-server-reference';

import type { AlertRule } from './alert-rule';
import type { AlertThresholds } from './alert-thresholds';
import type { MlflowAlert } from './mlflow-alert';
import type { PostgresExporter } from './postgres-exporter';
import type { PrometheusScrape } from './prometheus-scrape';

/** Props of {@link MlflowMonitoring}. */
export interface MlflowMonitoringProps {
  /** The server, with `metrics` on, in a chart that names its namespace. */
  readonly server: IMlflowServer;

  /**
   * How Prometheus finds the pods.
   * @default PrometheusScrape.serviceMonitor()
   */
  readonly scrape?: PrometheusScrape;

  /**
   * Who scrapes, where the server has `isolation`: they are let in.
   * @default [NetworkPeer.PROMETHEUS]
   */
  readonly scrapers?: NetworkPeer[];

  /**
   * The exporter of the server's database: brings the alerts and the panels on PostgreSQL.
   * @default - none
   */
  readonly postgresExporter?: PostgresExporter;

  /**
   * Backups of the database, in the namespace of the server: brings the alert on old backups.
   * @default - none
   */
  readonly backups?: PostgresBackup[];

  /**
   * Further claims to watch, such as `volumeClaims` of a `BitnamiPostgres`.
   * @default - that of the server's own artifacts, where there is one
   */
  readonly volumeClaims?: IPersistentVolumeClaim[];

  /**
   * Labels of the monitors and of the rules, by which a Prometheus selects them: `release: <name>` for the chart
   * kube-prometheus-stack.
   * @default - none
   */
  readonly labels?: Record<string, string>;

  /**
   * From which values on the alerts are on.
   * @default - those of AlertThresholds
   */
  readonly thresholds?: AlertThresholds;

  /**
   * Alerts to leave out.
   * @default - none
   */
  readonly excludeAlerts?: MlflowAlert[];

  /**
   * Alerts of your own, in the same PrometheusRule.
   * @default - none
   */
  readonly extraRules?: AlertRule[];

  /**
   * Labels of the ConfigMap with the dashboard, by which Grafana's sidecar finds it.
   * @default - { grafana_dashboard: '1' }
   */
  readonly dashboardLabels?: Record<string, string>;

  /**
   * Annotations of that ConfigMap, such as the sidecar's `grafana_folder`.
   * @default - none
   */
  readonly dashboardAnnotations?: Record<string, string>;
}
