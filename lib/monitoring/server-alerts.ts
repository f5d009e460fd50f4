import { Duration } from 'cdk8s';

import { type AlertRule, AlertSeverity } from './alert-rule';
import { inSeconds, type Thresholds } from './alert-thresholds';
import type { MetricSelectors } from './metric-selectors';
import { MlflowAlert } from './mlflow-alert';

const { CRITICAL, WARNING } = AlertSeverity;

/** What the alerts on a server have to know of it. */
export interface AlertedServer {
  readonly name: string;
  /** The Job that migrates the schema, where there is one. */
  readonly migrationJob?: string;
}

/** The alerts on the server itself: its own metrics, and what kube-state-metrics knows of its pods. */
export function serverAlerts(
  server: AlertedServer,
  { server: series, pods, namespace }: MetricSelectors,
  thresholds: Thresholds,
): AlertRule[] {
  const requests = (status = ''): string => `sum(rate(mlflow_http_request_total{${series}${status}}[5m]))`;
  return [
    {
      name: MlflowAlert.SERVER_DOWN,
      expression: `absent(up{${series}} == 1)`,
      duration: Duration.minutes(2),
      severity: CRITICAL,
      summary: `No pod of ${server.name} answers Prometheus.`,
      runbook:
        'Look at the pods and at the logs of their containers. If the pods are ready, look at the targets of Prometheus: 401 wants a login, 403 that of an administrator or an allowed host, a time-out means that all threads are busy.',
    },
    {
      name: MlflowAlert.PODS_UNAVAILABLE,
      expression: `kube_deployment_status_replicas_unavailable{${namespace},deployment="${server.name}"} > 0`,
      duration: Duration.minutes(15),
      severity: WARNING,
      summary: `{{ $value }} pods of ${server.name} are not ready.`,
      runbook:
        'kubectl describe the pods: the last line of an init container says what it waits for. A pod that is pending has no node to run on, or no volume.',
    },
    {
      name: MlflowAlert.PODS_RESTARTING,
      expression: `increase(kube_pod_container_status_restarts_total{${pods},container="mlflow"}[1h]) > ${String(thresholds.restarts)}`,
      severity: WARNING,
      summary: 'The server in {{ $labels.pod }} has restarted {{ $value | humanize }} times in an hour.',
      runbook:
        'kubectl describe the pod. OOMKilled: a worker takes about 270 MB, so raise the memory or lower `workers`. A failed liveness probe: the process hangs, look at its last log (kubectl logs --previous).',
    },
    {
      name: MlflowAlert.ERROR_RATIO,
      expression: `${requests(',status=~"5.."')} / ${requests()} > ${String(thresholds.errorRatio)}`,
      duration: Duration.minutes(10),
      severity: WARNING,
      summary: `${server.name} fails {{ $value | humanizePercentage }} of its requests.`,
      runbook:
        'Look at the log of the server. 503 means that the database does not answer, and clients try again by themselves; 500 is an error of MLflow, or artifacts that cannot be written.',
    },
    {
      name: MlflowAlert.LATENCY,
      expression: `histogram_quantile(0.95, sum by (le) (rate(mlflow_http_request_duration_seconds_bucket{${series}}[5m]))) > ${String(inSeconds(thresholds.latency))}`,
      duration: Duration.minutes(15),
      severity: WARNING,
      summary: `5 of 100 requests to ${server.name} take longer than {{ $value | humanizeDuration }}.`,
      runbook:
        'If the CPU is at its limit, add replicas: a worker uses one CPU at most. If not, look for slow queries in the database. Uploads of large artifacts through the server count as well.',
    },
    {
      name: MlflowAlert.MIGRATION_FAILED,
      expression: [
        `increase(kube_pod_init_container_status_restarts_total{${pods},container="init-mlflow"}[15m]) > 0`,
        ...(server.migrationJob === undefined
          ? []
          : [`kube_job_failed{${namespace},job_name="${server.migrationJob}",condition="true"} > 0`]),
      ].join(' or '),
      severity: CRITICAL,
      summary: `The schema of the database of ${server.name} could not be migrated.`,
      runbook:
        'kubectl logs the container init-mlflow: its last line says why, and what to do. Pods of the version before go on serving.',
    },
  ];
}

/** The alert on volumes, from the kubelet: none without volumes. */
export function volumeAlerts({ volumes }: MetricSelectors, { volumeUsage }: Thresholds): AlertRule[] {
  return volumes === undefined
    ? []
    : [
        {
          name: MlflowAlert.VOLUME_NEARLY_FULL,
          expression: `${usedShare(volumes)} > ${String(volumeUsage)}`,
          duration: Duration.minutes(10),
          severity: WARNING,
          summary: 'The volume {{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full.',
          runbook: 'Enlarge the claim, if its storage class lets it grow, or remove deleted runs for good (mlflow gc).',
        },
      ];
}

/** Share of each volume that is in use. */
export function usedShare(volumes: string): string {
  return `1 - kubelet_volume_stats_available_bytes{${volumes}} / kubelet_volume_stats_capacity_bytes{${volumes}}`;
}
