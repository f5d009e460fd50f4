import { Duration } from 'cdk8s';

import { type AlertRule, AlertSeverity } from './alert-rule';
import { inSeconds, type Thresholds } from './alert-thresholds';
import type { MetricSelectors } from './metric-selectors';
import { MlflowAlert } from './mlflow-alert';

const { CRITICAL, WARNING } = AlertSeverity;

/** The alerts on the database, from the exporter of PostgreSQL. */
export function databaseAlerts({ exporter }: MetricSelectors, { connectionUsage }: Thresholds): AlertRule[] {
  return [
    {
      name: MlflowAlert.DATABASE_DOWN,
      expression: `absent(pg_up{${exporter}} == 1)`,
      duration: Duration.minutes(2),
      severity: CRITICAL,
      summary: 'PostgreSQL does not let the exporter in, or the exporter is gone.',
      runbook:
        'Look at the log of the exporter, then at PostgreSQL itself. MLflow answers 503 while the database is away, and goes on by itself when it is back.',
    },
    {
      name: MlflowAlert.CONNECTIONS_NEARLY_USED_UP,
      // Which roles may see what others do is a matter of grants; how many connections there are, everyone may see.
      expression: `sum(pg_stat_database_numbackends{${exporter}}) / max(pg_settings_max_connections{${exporter}}) > ${String(connectionUsage)}`,
      duration: Duration.minutes(5),
      severity: WARNING,
      summary: 'PostgreSQL has {{ $value | humanizePercentage }} of the connections that it takes.',
      runbook:
        'See in pg_stat_activity who holds them (application_name). Lower `pooling`, `workers` or `replicas`, raise max_connections, or put a PgBouncer between.',
    },
  ];
}

/** The alert on a pool that is used to the brim. `requestsOfPod` is how many requests a pod works on at once. */
export function poolAlerts(
  { server, database }: MetricSelectors,
  requestsOfPod: number,
  { poolUsage }: Thresholds,
): AlertRule[] {
  const busy = `sum(pg_stat_activity_count{${database},state=~"active|idle in transaction.*"})`;
  return [
    {
      name: MlflowAlert.POOL_NEARLY_FULL,
      expression: `${busy} / (count(up{${server}} == 1) * ${String(requestsOfPod)}) > ${String(poolUsage)}`,
      duration: Duration.minutes(10),
      severity: WARNING,
      summary: 'The server holds {{ $value | humanizePercentage }} of the transactions that it can have at once.',
      runbook:
        'Further requests wait for their turn. If the CPU of the server is at its limit, add replicas. If not, the database is slow, or `pooling` is small for what it can do.',
    },
  ];
}

/** The alert on backups, from kube-state-metrics: none without CronJobs. One that never succeeded counts from its making. */
export function backupAlerts({ backups }: MetricSelectors, { backupAge }: Thresholds): AlertRule[] {
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
