import type { IPersistentVolumeClaim } from 'cdk8s-plus-28';

import type { NetworkPeer } from '../kube/network/network-peer';
import type { PostgresBackup } from '../operations/backup/postgres-backup';
import type { IScheduledOperation } from '../operations/scheduled';
import type { IMlflowServer } from '../server/mlflow-server-reference';

import type { AlertRule } from './alert-rule';
import type { AlertThresholds } from './alert-thresholds';
import type { MlflowAlert } from './mlflow-alert';
import type { PostgresExporter } from './postgres-exporter';
import type { PrometheusScrape } from './prometheus-scrape';

/** Props of {@link MlflowMonitoring}. */
export interface MlflowMonitoringProps {
  /** The server. It needs `metrics: true`, and a chart with a namespace. */
  readonly server: IMlflowServer;

  /**
   * How Prometheus finds the pods.
   * @default PrometheusScrape.serviceMonitor()
   */
  readonly scrape?: PrometheusScrape;

  /**
   * Clients that may scrape the server, where it has `isolation`.
   * @default [NetworkPeer.PROMETHEUS]
   */
  readonly scrapers?: NetworkPeer[];

  /**
   * The exporter of the server's database. It adds the alerts and panels on PostgreSQL.
   * @default - none
   */
  readonly postgresExporter?: PostgresExporter;

  /**
   * Backups of the database, in the namespace of the server. They add the alert on old backups.
   * @default - none
   */
  readonly backups?: PostgresBackup[];

  /**
   * CronJobs of the library, in the namespace of the server: garbage collection, archival of traces, backups. They add the alert
   * on a run that failed.
   * @default - none
   */
  readonly operations?: IScheduledOperation[];

  /**
   * Claims to monitor besides that of the server's artifacts, such as `volumeClaims` of a `BitnamiPostgres`.
   * @default - none
   */
  readonly volumeClaims?: IPersistentVolumeClaim[];

  /**
   * Labels by which Prometheus selects monitors and rules: `release: <name>` for the chart kube-prometheus-stack.
   * @default - none
   */
  readonly labels?: Record<string, string>;

  /**
   * Values above which the alerts fire.
   * @default - the defaults of AlertThresholds
   */
  readonly thresholds?: AlertThresholds;

  /**
   * Alerts to exclude.
   * @default - none
   */
  readonly excludeAlerts?: MlflowAlert[];

  /**
   * Your own alerts, in the same PrometheusRule.
   * @default - none
   */
  readonly extraRules?: AlertRule[];

  /**
   * Labels by which Grafana's sidecar finds the ConfigMap with the dashboard.
   * @default - { grafana_dashboard: '1' }
   */
  readonly dashboardLabels?: Record<string, string>;

  /**
   * Annotations of that ConfigMap, such as the sidecar's `grafana_folder`.
   * @default - none
   */
  readonly dashboardAnnotations?: Record<string, string>;
}
