import { type Chart, Cron, Duration, Testing } from 'cdk8s';
import { PersistentVolumeClaim } from 'cdk8s-plus-28';
import {
  BackupLocation,
  DatabaseMigration,
  type IPostgresBackend,
  MlflowGarbageCollection,
  MlflowMonitoring,
  type MlflowMonitoringProps,
  MlflowServer,
  type MlflowServerProps,
  PostgresBackup,
  PostgresExporter,
} from 'cdk8s-mlflow';

import { anyBackend, chart, type Manifest, only } from '../support/synth';

/** What can be set of a monitored server. */
export interface Case {
  readonly monitoring?: Partial<MlflowMonitoringProps>;
  readonly server?: Partial<MlflowServerProps>;
  readonly backend?: (scope: Chart) => IPostgresBackend;
  readonly exporter?: boolean;
  /** Names of further claims. */
  readonly volumeClaims?: string[];
  /** Ids of backups. */
  readonly backups?: string[];
  /** Whether there is a garbage collection `gc`, which is watched. */
  readonly collects?: boolean;
  readonly namespace?: string;
}

/** A server `mlflow` in the namespace `team`, monitored. */
export function monitored(options: Case = {}): Chart {
  const scope = chart(options.namespace ?? 'team');
  const backend = options.backend?.(scope) ?? anyBackend(scope);
  const claims = (options.volumeClaims ?? []).map((name) => PersistentVolumeClaim.fromClaimName(scope, name, name));
  const backups = (options.backups ?? []).map(
    (id) => new PostgresBackup(scope, id, { backend, target: BackupLocation.volume() }),
  );
  const server = new MlflowServer(scope, 'mlflow', { backend, metrics: true, ...options.server });
  const schedule = Cron.daily();
  const operations =
    options.collects === true
      ? [new MlflowGarbageCollection(scope, 'gc', { server, schedule, olderThan: Duration.days(30) })]
      : [];
  new MlflowMonitoring(scope, 'monitoring', {
    server,
    operations,
    postgresExporter: options.exporter === true ? new PostgresExporter(scope, 'exporter', { backend }) : undefined,
    volumeClaims: claims,
    backups,
    ...options.monitoring,
  });
  return scope;
}

/** The same with everything that brings alerts and panels. */
export function fullyMonitored(monitoring: Partial<MlflowMonitoringProps> = {}): Manifest[] {
  return Testing.synth(
    monitored({
      monitoring,
      backups: ['backup', 'backup-weekly'],
      collects: true,
      volumeClaims: ['data-postgres-0'],
      exporter: true,
      server: { databaseMigration: DatabaseMigration.job() },
    }),
  );
}

/** The alerts by name. */
export function alertsOf(manifests: Manifest[]): Record<string, Manifest> {
  const [group] = only(manifests, 'PrometheusRule').spec.groups;
  return Object.fromEntries(group.rules.map((rule: Manifest) => [rule.alert, rule]));
}

/** The dashboard as Grafana reads it. */
export function dashboardOf(manifests: Manifest[]): Manifest {
  return JSON.parse(only(manifests, 'ConfigMap', 'monitoring-dashboard').data['monitoring-dashboard.json']);
}

/** Every expression of the dashboard, with a range in the place of Grafana's. */
export function panelExpressions(manifests: Manifest[]): string[] {
  return dashboardOf(manifests).panels.flatMap((panel: Manifest) =>
    (panel.targets ?? []).map((target: Manifest) => target.expr.replaceAll('$__rate_interval', '1m')),
  );
}
