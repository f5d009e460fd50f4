import { type MetricSelectors, usedShare } from './metric-selectors';

/** A panel of the dashboard. */
export interface Panel {
  readonly title: string;
  readonly unit: 'reqps' | 'percentunit' | 's' | 'short' | 'bytes';
  /** PromQL by legend. */
  readonly series: Record<string, string>;
}

/** Panels under one heading. */
export interface Row {
  readonly title: string;
  readonly panels: Panel[];
}

/** The rows of the dashboard, as far as the selectors cover them. */
export function rowsOf(selectors: MetricSelectors): Row[] {
  return [requestRow(selectors), podRow(selectors), databaseRow(selectors), storageRow(selectors)];
}

function requestRow({ server }: MetricSelectors): Row {
  const quantile = (share: number): string =>
    `histogram_quantile(${String(share)}, sum by (le) (${rate('mlflow_http_request_duration_seconds_bucket', server)}))`;
  const requests = rate('mlflow_http_request_total', server);
  const failed = rate('mlflow_http_request_total', `${server},status=~"5.."`);
  return {
    title: 'Requests',
    panels: [
      panel('Requests by status', 'reqps', { '{{status}}': `sum by (status) (${requests})` }),
      panel('Failed requests', 'percentunit', {
        'status 5xx': orZero(`(${orZero(`sum(${failed})`)}) / (sum(${requests}) > 0)`),
      }),
      panel('Latency', 's', { median: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) }),
      panel('Traces over OTLP', 'short', {
        'spans per second': orZero(`sum(${rate('mlflow_spans_ingested_total', server)})`),
        'errors per second': orZero(`sum(${rate('mlflow_trace_ingestion_server_errors_total', server)})`),
      }),
    ],
  };
}

function podRow({ server, pods }: MetricSelectors): Row {
  const container = `${pods},container="mlflow"`;
  const byPod = (expression: string): Record<string, string> => ({ '{{pod}}': `sum by (pod) (${expression})` });
  return {
    title: 'Pods',
    panels: [
      panel('Pods that answer', 'short', { pods: `sum(up{${server}})` }),
      panel('CPU', 'short', byPod(rate('container_cpu_usage_seconds_total', container))),
      panel('Memory', 'bytes', byPod(`container_memory_working_set_bytes{${container}}`)),
      panel('Restarts', 'short', byPod(`kube_pod_container_status_restarts_total{${container}}`)),
    ],
  };
}

function databaseRow({ exporter, database }: MetricSelectors): Row {
  if (exporter === undefined || database === undefined) {
    return { title: 'PostgreSQL', panels: [] };
  }
  return {
    title: 'PostgreSQL',
    panels: [
      panel('Connections', 'short', {
        '{{datname}}': `sum by (datname) (pg_stat_database_numbackends{${exporter}})`,
        limit: `max(pg_settings_max_connections{${exporter}})`,
      }),
      panel('Connections by state', 'short', {
        '{{state}}': `sum by (state) (pg_stat_activity_count{${database}})`,
      }),
      panel('Transactions per second', 'short', {
        committed: `sum(${rate('pg_stat_database_xact_commit', database)})`,
        'rolled back': `sum(${rate('pg_stat_database_xact_rollback', database)})`,
      }),
      panel('Size of the database', 'bytes', {
        '{{datname}}': `sum by (datname) (pg_database_size_bytes{${database}})`,
      }),
    ],
  };
}

function storageRow({ volumes, backups }: MetricSelectors): Row {
  const panels = [
    volumes && panel('Volumes in use', 'percentunit', { '{{persistentvolumeclaim}}': usedShare(volumes) }),
    backups &&
      panel('Age of the last good backup', 's', {
        '{{cronjob}}': `time() - kube_cronjob_status_last_successful_time{${backups}}`,
      }),
  ];
  return { title: 'Storage', panels: panels.filter((each) => typeof each === 'object') };
}

function panel(title: string, unit: Panel['unit'], series: Panel['series']): Panel {
  return { title, unit, series };
}

/** A sum that is 0 while its counters do not exist: a counter appears with the first event. */
function orZero(sum: string): string {
  return `${sum} or vector(0)`;
}

function rate(metric: string, selector: string): string {
  return `rate(${metric}{${selector}}[$__rate_interval])`;
}
