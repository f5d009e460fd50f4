import { Duration } from 'cdk8s';

import type { IMlflowServer } from '../server/mlflow-server-reference';

import { type AlertRule, AlertSeverity } from './alert-rule';
import { inSeconds, type Thresholds } from './alert-thresholds';
import { type MetricSelectors, usedShare } from './metric-selectors';
import { MlflowAlert } from './mlflow-alert';

const { CRITICAL } = AlertSeverity;

/** The alerts on a server, its database, volumes and backups, as far as the selectors cover them. */
export function alertsOf(server: IMlflowServer, selectors: MetricSelectors, thresholds: Thresholds): AlertRule[] {
  return [
    ...serverAlerts(server, selectors, thresholds),
    ...databaseAlerts(selectors, thresholds),
    ...poolAlerts(server, selectors, thresholds),
    ...volumeAlerts(selectors, thresholds),
    ...backupAlerts(selectors, thresholds),
    ...operationAlerts(selectors),
  ];
}

/** From the server's own metrics, and from kube-state-metrics on its pods. */
function serverAlerts(
  { serverName, migrationJob }: IMlflowServer,
  { server, pods, namespace }: MetricSelectors,
  thresholds: Thresholds,
): AlertRule[] {
  const requests = (status = ''): string => `sum(rate(mlflow_http_request_total{${server}${status}}[5m]))`;
  const restarts = `kube_pod_container_status_restarts_total{${pods},container="mlflow"}`;
  return [
    {
      name: MlflowAlert.SERVER_DOWN,
      expression: `absent(up{${server}} == 1)`,
      duration: Duration.minutes(2),
      severity: CRITICAL,
      summary: `No pod of ${serverName} answers Prometheus.`,
      runbook:
        'Look at the pods and at the logs of their containers. If the pods are ready, look at the targets of Prometheus: 401 wants a login, 403 that of an administrator or an allowed host, 503 the database that has the users, a time-out means that all threads are busy.',
    },
    {
      name: MlflowAlert.PODS_UNAVAILABLE,
      expression: `kube_deployment_status_replicas_unavailable{${namespace},deployment="${serverName}"} > 0`,
      duration: Duration.minutes(15),
      summary: `{{ $value }} pods of ${serverName} are not ready.`,
      runbook:
        'kubectl describe the pods: the last line of an init container says what it waits for. A pod that is pending has no node to run on, or no volume.',
    },
    {
      name: MlflowAlert.PODS_RESTARTING,
      // Not increase(), which extrapolates: of two restarts it makes a little more than two.
      expression: `max by (pod) (${restarts}) - min by (pod) (min_over_time(${restarts}[1h])) > ${String(thresholds.restarts)}`,
      summary: 'The server in {{ $labels.pod }} has restarted {{ $value }} times in an hour.',
      runbook:
        'kubectl describe the pod. OOMKilled: a worker takes about 270 MB, so raise the memory or lower `workers`. A failed liveness probe: the process hangs, look at its last log (kubectl logs --previous).',
    },
    {
      name: MlflowAlert.ERROR_RATIO,
      expression: `${requests(',status=~"5.."')} / ${requests()} > ${String(thresholds.errorRatio)}`,
      duration: Duration.minutes(10),
      summary: `${serverName} fails {{ $value | humanizePercentage }} of its requests.`,
      runbook:
        'Look at the log of the server. 503 means that the database does not answer, and clients repeat the call, those of MLflow 3.18 and later not one that creates something; 500 is an error of MLflow, or artifacts that cannot be written.',
    },
    {
      name: MlflowAlert.LATENCY,
      expression: `histogram_quantile(0.95, sum by (le) (rate(mlflow_http_request_duration_seconds_bucket{${server}}[5m]))) > ${String(inSeconds(thresholds.latency))}`,
      duration: Duration.minutes(15),
      summary: `5 of 100 requests to ${serverName} take longer than {{ $value | humanizeDuration }}.`,
      runbook:
        'If the CPU is at its limit, add replicas: a worker uses one CPU at most. If not, look for slow queries in the database. Uploads of large artifacts through the server count as well.',
    },
    {
      name: MlflowAlert.MIGRATION_FAILED,
      expression: [
        `increase(kube_pod_init_container_status_restarts_total{${pods},container="init-mlflow"}[15m]) > 0`,
        ...(migrationJob === undefined
          ? []
          : [`kube_job_failed{${namespace},job_name="${migrationJob.name}",condition="true"} > 0`]),
      ].join(' or '),
      severity: CRITICAL,
      summary: `Pods of ${serverName} cannot prepare the database: they do not reach it, or cannot migrate its schema.`,
      runbook:
        'kubectl logs the container init-mlflow: its last line says why, and what to do. Pods that run go on serving.',
    },
  ];
}

/** From the exporter of PostgreSQL. */
function databaseAlerts({ exporter }: MetricSelectors, { connectionUsage }: Thresholds): AlertRule[] {
  if (exporter === undefined) {
    return [];
  }
  return [
    {
      name: MlflowAlert.DATABASE_DOWN,
      expression: `max(pg_up{${exporter}}) == 0`,
      duration: Duration.minutes(2),
      severity: CRITICAL,
      summary: 'PostgreSQL does not let the exporter in.',
      runbook:
        'Look at the log of the exporter, then at PostgreSQL itself. MLflow answers 503 while the database is away, and goes on by itself when it is back.',
    },
    {
      name: MlflowAlert.DATABASE_NOT_MONITORED,
      expression: `absent(up{${exporter}} == 1)`,
      duration: Duration.minutes(2),
      severity: CRITICAL,
      summary: 'The exporter of PostgreSQL does not answer Prometheus, so no other alert on PostgreSQL can fire.',
      runbook:
        'Look at the pod of the exporter. If it is ready, a query of it waits: select pid, query from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0 shows whether for a lock, such as that of VACUUM FULL, which holds up MLflow, too. If that does not answer either, PostgreSQL hangs or packets to it are lost.',
    },
    {
      name: MlflowAlert.CONNECTIONS_NEARLY_USED_UP,
      // Every role may read this number, unlike pg_stat_activity. Once all connections are used, the exporter gets none:
      // the last share counts for ten minutes.
      expression: `last_over_time((sum(pg_stat_database_numbackends{${exporter}}) / max(pg_settings_max_connections{${exporter}}))[10m:30s]) > ${String(connectionUsage)}`,
      duration: Duration.minutes(5),
      summary: 'PostgreSQL has {{ $value | humanizePercentage }} of the connections that it takes.',
      runbook:
        'See in pg_stat_activity who holds them (application_name). Lower `pooling`, `workers` or `replicas`, raise max_connections, or put a PgBouncer between.',
    },
  ];
}

function poolAlerts(
  { backend, requestsPerPod }: IMlflowServer,
  { server, database }: MetricSelectors,
  { poolUsage }: Thresholds,
): AlertRule[] {
  // Behind a pooler, the connections of the database are the pooler's.
  if (database === undefined || backend.connection.bypass !== undefined) {
    return [];
  }
  const busy = `sum(pg_stat_activity_count{${database},state=~"active|idle in transaction.*"})`;
  return [
    {
      name: MlflowAlert.POOL_NEARLY_FULL,
      // A full pod does not answer the scrape, so that `up` is 0.
      expression: `${busy} / (count(up{${server}}) * ${String(requestsPerPod)}) > ${String(poolUsage)}`,
      duration: Duration.minutes(10),
      summary: 'The server holds {{ $value | humanizePercentage }} of the transactions that it can have at once.',
      runbook:
        'Further requests wait for their turn. If the CPU of the server is at its limit, add replicas. If not, the database is slow, or `pooling` is small for what it can do.',
    },
  ];
}

/** From the kubelet. */
function volumeAlerts({ volumes }: MetricSelectors, { volumeUsage }: Thresholds): AlertRule[] {
  if (volumes === undefined) {
    return [];
  }
  return [
    {
      name: MlflowAlert.VOLUME_NEARLY_FULL,
      expression: `${usedShare(volumes)} > ${String(volumeUsage)}`,
      duration: Duration.minutes(10),
      summary: 'The volume {{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full.',
      runbook:
        'Enlarge the claim, if its storage class lets it grow: kubectl patch pvc, then its size in the app (docs/databases.md has the commands for BitnamiPostgres). Or remove deleted runs for good (mlflow gc).',
    },
  ];
}

/** From kube-state-metrics. The age of a CronJob that never succeeded counts from its creation. */
function backupAlerts({ backups }: MetricSelectors, { backupAge }: Thresholds): AlertRule[] {
  if (backups === undefined) {
    return [];
  }
  const age = String(inSeconds(backupAge));
  const succeeded = `kube_cronjob_status_last_successful_time{${backups}}`;
  const never = `(kube_cronjob_created{${backups}} unless on (namespace, cronjob) ${succeeded})`;
  return [
    {
      name: MlflowAlert.BACKUP_TOO_OLD,
      expression: `time() - ${succeeded} > ${age} or time() - ${never} > ${age}`,
      severity: CRITICAL,
      summary: 'The last good backup of {{ $labels.cronjob }} is {{ $value | humanizeDuration }} old.',
      runbook: 'kubectl get the Jobs of the CronJob, and kubectl logs the newest: its last line says what is wrong.',
    },
  ];
}

/** From kube-state-metrics: what was scheduled last is over, and has not succeeded. */
function operationAlerts({ operations }: MetricSelectors): AlertRule[] {
  if (operations === undefined) {
    return [];
  }
  const scheduled = `kube_cronjob_status_last_schedule_time{${operations}}`;
  const succeeded = `kube_cronjob_status_last_successful_time{${operations}}`;
  const same = 'on (namespace, cronjob)';
  return [
    {
      name: MlflowAlert.OPERATION_FAILED,
      expression: `((${scheduled} > ${same} ${succeeded}) or (${scheduled} unless ${same} ${succeeded})) and ${same} kube_cronjob_status_active{${operations}} == 0`,
      duration: Duration.minutes(5),
      summary: 'The last run of {{ $labels.cronjob }} did not succeed.',
      runbook: 'kubectl get the Jobs of the CronJob, and kubectl logs the newest: its last line says what is wrong.',
    },
  ];
}
