import type { MetricSelectors } from './metric-selectors';
import { usedShare } from './server-alerts';

/** A panel of the dashboard: a question, the series that answer it, and how they are shown. */
export interface Panel {
  readonly title: string;
  readonly unit: 'reqps' | 'percentunit' | 's' | 'short' | 'bytes';
  /** Expressions, by the legend of their series. */
  readonly series: Record<string, string>;
}

/** Panels under one heading. */
export interface Row {
  readonly title: string;
  readonly panels: Panel[];
}

/** The panels on requests. */
export function requestRow({ server }: MetricSelectors): Row {
  const quantile = (share: number): string =>
    `histogram_quantile(${String(share)}, sum by (le) (rate(mlflow_http_request_duration_seconds_bucket{${server}}[$__rate_interval])))`;
  const rate = (matchers = ''): string => `rate(mlflow_http_request_total{${server}${matchers}}[$__rate_interval])`;
  return {
    title: 'Requests',
    panels: [
      { title: 'Requests by status', unit: 'reqps', series: { '{{status}}': `sum by (status) (${rate()})` } },
      {
        title: 'Failed requests',
        unit: 'percentunit',
        series: { 'status 5xx': `sum(${rate(',status=~"5.."')}) / sum(${rate()})` },
      },
      { title: 'Latency', unit: 's', series: { median: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) } },
      {
        title: 'Traces over OTLP',
        unit: 'short',
        series: {
          'spans per second': `sum(rate(mlflow_spans_ingested_total{${server}}[$__rate_interval]))`,
          'errors per second': `sum(rate(mlflow_trace_ingestion_server_errors_total{${server}}[$__rate_interval]))`,
        },
      },
    ],
  };
}

/** The panels on pods. */
export function podRow({ server, pods }: MetricSelectors): Row {
  const container = `${pods},container="mlflow"`;
  return {
    title: 'Pods',
    panels: [
      { title: 'Pods that answer', unit: 'short', series: { pods: `sum(up{${server}})` } },
      {
        title: 'CPU',
        unit: 'short',
        series: { '{{pod}}': `sum by (pod) (rate(container_cpu_usage_seconds_total{${container}}[$__rate_interval]))` },
      },
      {
        title: 'Memory',
        unit: 'bytes',
        series: { '{{pod}}': `sum by (pod) (container_memory_working_set_bytes{${container}})` },
      },
      {
        title: 'Restarts',
        unit: 'short',
        series: { '{{pod}}': `sum by (pod) (kube_pod_container_status_restarts_total{${container}})` },
      },
    ],
  };
}

/** The panels on the database. */
export function databaseRow({ exporter, database }: MetricSelectors): Row {
  return {
    title: 'PostgreSQL',
    panels: [
      {
        title: 'Connections',
        unit: 'short',
        series: {
          '{{datname}}': `sum by (datname) (pg_stat_database_numbackends{${exporter}})`,
          limit: `max(pg_settings_max_connections{${exporter}})`,
        },
      },
      {
        title: 'Connections by state',
        unit: 'short',
        series: { '{{state}}': `sum by (state) (pg_stat_activity_count{${database}})` },
      },
      {
        title: 'Transactions per second',
        unit: 'short',
        series: {
          committed: `sum(rate(pg_stat_database_xact_commit{${database}}[$__rate_interval]))`,
          'rolled back': `sum(rate(pg_stat_database_xact_rollback{${database}}[$__rate_interval]))`,
        },
      },
      {
        title: 'Size of the database',
        unit: 'bytes',
        series: { '{{datname}}': `sum by (datname) (pg_database_size_bytes{${database}})` },
      },
    ],
  };
}

/** The panels on what fills up and what grows old. */
export function storageRow({ volumes, backups }: MetricSelectors): Row {
  const panels: Panel[] = [];
  if (volumes !== undefined) {
    panels.push({
      title: 'Volumes in use',
      unit: 'percentunit',
      series: { '{{persistentvolumeclaim}}': usedShare(volumes) },
    });
  }
  if (backups !== undefined) {
    panels.push({
      title: 'Age of the last good backup',
      unit: 's',
      series: { '{{cronjob}}': `time() - kube_cronjob_status_last_successful_time{${backups}}` },
    });
  }
  return { title: 'Storage', panels };
}
