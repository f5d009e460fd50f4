import type { IScheduledOperation } from '../operations/scheduled';

import type { MlflowMonitoringProps } from './mlflow-monitoring-props';

/** Label matchers that select the series of one deployment. Without braces, so that others can be appended. */
export interface MetricSelectors {
  readonly namespace: string;
  /** The server's own metrics, and `up`. */
  readonly server: string;
  /** Metrics of kube-state-metrics and cAdvisor on the server's pods. */
  readonly pods: string;
  /** Metrics of the exporter of PostgreSQL, where there is one. */
  readonly exporter?: string;
  /** The exporter's metrics on the server's database; on all databases, where its name is in a Secret. */
  readonly database?: string;
  /** Metrics of the volumes, where there are any. */
  readonly volumes?: string;
  /** Metrics of the CronJobs that back up, where there are any. */
  readonly backups?: string;
  /** Metrics of the CronJobs of operations, where there are any. */
  readonly operations?: string;
}

/** The selectors of what the props name. */
export function selectorsOf(props: MlflowMonitoringProps): MetricSelectors {
  const { server, postgresExporter, volumeClaims = [], backups = [], operations = [] } = props;
  const { claimName } = server.artifacts;
  const claims = [...(claimName === undefined ? [] : [claimName]), ...volumeClaims.map(({ name }) => name)];
  const namespace = `namespace=${quoted(server.serverNamespace ?? '')}`;
  const exporter = postgresExporter && `${namespace},job=${quoted(postgresExporter.node.id)}`;
  const database = server.backend.connection.database.value as string | undefined;
  return {
    namespace,
    server: `${namespace},job=${quoted(server.serverName)}`,
    // A pod's name ends in a digest of its template and five characters. Without them, `mlflow-ui-…` would match.
    pods: `${namespace},pod=~${quoted(`${server.serverName}-[a-z0-9]+-[a-z0-9]{5}`)}`,
    exporter,
    database: exporter && (database === undefined ? exporter : `${exporter},datname=${quoted(database)}`),
    volumes: oneOf(namespace, 'persistentvolumeclaim', claims),
    backups: oneOf(namespace, 'cronjob', namesOf(backups)),
    operations: oneOf(namespace, 'cronjob', namesOf(operations)),
  };
}

/** PromQL for the used share of each volume. */
export function usedShare(volumes: string): string {
  return `1 - kubelet_volume_stats_available_bytes{${volumes}} / kubelet_volume_stats_capacity_bytes{${volumes}}`;
}

function namesOf(operations: readonly IScheduledOperation[]): string[] {
  return operations.map(({ cronJob }) => cronJob.name);
}

function oneOf(namespace: string, label: string, names: string[]): string | undefined {
  const pattern = names.map((name) => name.replaceAll('.', '\\.')).join('|');
  return names.length === 0 ? undefined : `${namespace},${label}=~${quoted(pattern)}`;
}

// PromQL escapes in double quotes as JSON does.
function quoted(text: string): string {
  return JSON.stringify(text);
}
