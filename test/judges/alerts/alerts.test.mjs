// npm run test:alerts: Prometheus' own rule tests on the library's alerts. Each fires
// when its cause is there, not before, and ends when it is gone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { Chart, Testing } from 'cdk8s';

import * as lib from '../../../build/lib/index.js';

import { promtool } from './promtool.mjs';

const { MlflowAlert } = lib;
const PER_MINUTE = 2;
const SERVER = 'namespace="team",job="mlflow"';
const EXPORTER = 'namespace="team",job="exporter"';
const POD = 'mlflow-5d4f8b7c9d-abcde';
const IN_POD = `namespace="team",pod="${POD}"`;

const { rules, panels } = synthesized();
const requestsPerPod = Number(/\* (\d+)\)/.exec(ruleOf(MlflowAlert.POOL_NEARLY_FULL).expr)[1]);
const jobName = /job_name="([^"]+)"/.exec(ruleOf(MlflowAlert.MIGRATION_FAILED).expr)[1];
const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-alerts-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'rules.yaml'), JSON.stringify({ groups: [{ name: 'team/mlflow', rules }] }));

// Minutes at which the alert must not fire (`quiet`) and must fire (`fires`), and what it says then.
const CASES = [
  {
    alert: MlflowAlert.SERVER_DOWN,
    when: 'no pod answers',
    series: {
      [`up{${SERVER},pod="a"}`]: gauge([5, 1], [10, 0], [5, 1]),
      [`up{${SERVER},pod="b"}`]: gauge([5, 1], [15, 0]),
    },
    quiet: [4, 6.5, 15],
    fires: [7, 14.5],
    summary: 'No pod of mlflow answers Prometheus.',
  },
  {
    alert: MlflowAlert.SERVER_DOWN,
    when: 'there is no pod',
    series: { [`up{${SERVER}}`]: gauge([5, 1], [0.5, 'stale'], [10, '_'], [5, 1]) },
    quiet: [4, 6.5, 15.5],
    fires: [7],
    summary: 'No pod of mlflow answers Prometheus.',
  },
  {
    alert: MlflowAlert.PODS_UNAVAILABLE,
    when: 'a pod is not ready',
    series: {
      'kube_deployment_status_replicas_unavailable{namespace="team",deployment="mlflow"}': gauge(
        [5, 0],
        [20, 1],
        [5, 0],
      ),
    },
    quiet: [4, 19.5, 25],
    fires: [20],
    labels: { deployment: 'mlflow' },
    summary: '1 pods of mlflow are not ready.',
  },
  {
    alert: MlflowAlert.PODS_RESTARTING,
    when: 'a container restarts for the third time in an hour',
    series: {
      [`kube_pod_container_status_restarts_total{${IN_POD},container="mlflow"}`]: gauge(
        [10, 0],
        [10, 1],
        [10, 2],
        [60, 3],
      ),
    },
    quiet: [20, 29.5, 70],
    fires: [30, 69],
    labels: { pod: POD },
    summary: `The server in ${POD} has restarted 3 times in an hour.`,
  },
  {
    alert: MlflowAlert.PODS_RESTARTING,
    when: 'kube-state-metrics is replaced in between',
    series: {
      [`kube_pod_container_status_restarts_total{${IN_POD},container="mlflow",instance="a"}`]: gauge(
        [10, 0],
        [10, 1],
        [5, 2],
        [0.5, 'stale'],
      ),
      [`kube_pod_container_status_restarts_total{${IN_POD},container="mlflow",instance="b"}`]: gauge(
        [25, '_'],
        [5, 2],
        [60, 3],
      ),
    },
    quiet: [29.5, 70],
    fires: [30],
    labels: { pod: POD },
    summary: `The server in ${POD} has restarted 3 times in an hour.`,
  },
  {
    alert: MlflowAlert.ERROR_RATIO,
    when: '10 of 105 requests fail',
    series: {
      [`mlflow_http_request_total{${SERVER},status="200"}`]: counter([50, 95]),
      [`mlflow_http_request_total{${SERVER},status="500"}`]: gauge([10, '_']) + counter([20, 10], [20, 0]),
    },
    quiet: [9, 20, 36],
    fires: [25, 29],
    summary: 'mlflow fails 9.524% of its requests.',
  },
  {
    alert: MlflowAlert.ERROR_RATIO,
    when: '1 of 101 requests fails',
    series: {
      [`mlflow_http_request_total{${SERVER},status="200"}`]: counter([50, 100]),
      [`mlflow_http_request_total{${SERVER},status="500"}`]: counter([50, 1]),
    },
    quiet: [25, 49],
    fires: [],
  },
  {
    alert: MlflowAlert.LATENCY,
    when: 'all requests take between 2.5 and 5 seconds',
    series: {
      [`mlflow_http_request_duration_seconds_bucket{${SERVER},le="0.1"}`]: counter([5, 10], [25, 0], [10, 10]),
      [`mlflow_http_request_duration_seconds_bucket{${SERVER},le="2.5"}`]: counter([5, 10], [25, 0], [10, 10]),
      [`mlflow_http_request_duration_seconds_bucket{${SERVER},le="5.0"}`]: counter([40, 10]),
      [`mlflow_http_request_duration_seconds_bucket{${SERVER},le="+Inf"}`]: counter([40, 10]),
    },
    quiet: [4, 19.5, 36],
    fires: [22, 29],
    summary: '5 of 100 requests to mlflow take longer than 4.875s.',
  },
  {
    alert: MlflowAlert.MIGRATION_FAILED,
    when: 'the init container restarts',
    series: {
      [`kube_pod_init_container_status_restarts_total{${IN_POD},container="init-mlflow"}`]: gauge([5, 0], [30, 1]),
    },
    quiet: [4.5, 20],
    fires: [5, 19],
    labels: { pod: POD, container: 'init-mlflow' },
    summary: 'The schema of the database of mlflow could not be migrated.',
  },
  {
    alert: MlflowAlert.MIGRATION_FAILED,
    when: 'the Job fails',
    series: {
      [`kube_job_failed{namespace="team",job_name="${jobName}",condition="true"}`]: gauge(
        [5, 0],
        [10, 1],
        [0.5, 'stale'],
      ),
    },
    quiet: [4.5, 15],
    fires: [5, 14.5],
    labels: { job_name: jobName, condition: 'true' },
    summary: 'The schema of the database of mlflow could not be migrated.',
  },
  {
    alert: MlflowAlert.DATABASE_DOWN,
    when: 'PostgreSQL lets nobody in',
    series: { [`pg_up{${EXPORTER}}`]: gauge([5, 1], [10, 0], [5, 1]) },
    quiet: [4, 6.5, 15],
    fires: [7],
    summary: 'PostgreSQL does not let the exporter in.',
  },
  {
    alert: MlflowAlert.DATABASE_DOWN,
    when: 'the exporter waits for a lock',
    series: {
      [`up{${EXPORTER}}`]: gauge([5, 1], [15, 0]),
      [`pg_up{${EXPORTER}}`]: gauge([5, 1], [0.5, 'stale']),
    },
    quiet: [7, 19],
    fires: [],
  },
  {
    alert: MlflowAlert.DATABASE_NOT_MONITORED,
    when: 'the exporter waits for a lock',
    series: { [`up{${EXPORTER}}`]: gauge([5, 1], [10, 0], [5, 1]) },
    quiet: [4, 6.5, 15],
    fires: [7, 14.5],
    summary: 'The exporter of PostgreSQL does not answer Prometheus, so no other alert on PostgreSQL can fire.',
  },
  {
    alert: MlflowAlert.CONNECTIONS_NEARLY_USED_UP,
    when: '95 of 100 connections are open',
    series: {
      [`pg_settings_max_connections{${EXPORTER}}`]: gauge([30, 100]),
      [`pg_stat_database_numbackends{${EXPORTER},datname="mlflow"}`]: gauge([5, 50], [20, 90], [5, 50]),
      [`pg_stat_database_numbackends{${EXPORTER},datname="postgres"}`]: gauge([30, 5]),
    },
    quiet: [4, 9.5, 25],
    fires: [10, 24.5],
    summary: 'PostgreSQL has 95% of the connections that it takes.',
  },
  {
    alert: MlflowAlert.CONNECTIONS_NEARLY_USED_UP,
    when: 'none is left for the exporter',
    series: {
      [`pg_settings_max_connections{${EXPORTER}}`]: gauge([30, 100]),
      [`pg_stat_database_numbackends{${EXPORTER},datname="mlflow"}`]: gauge(
        [5, 50],
        [3, 95],
        [0.5, 'stale'],
        [6.5, '_'],
        [5, 50],
      ),
    },
    quiet: [9.5, 15],
    fires: [10, 14.5],
    summary: 'PostgreSQL has 95% of the connections that it takes.',
  },
  {
    alert: MlflowAlert.POOL_NEARLY_FULL,
    when: 'both pods are full, so that neither answers the scrape',
    series: {
      [`up{${SERVER},pod="a"}`]: gauge([8, 1], [17, 0], [5, 1]),
      [`up{${SERVER},pod="b"}`]: gauge([8, 1], [17, 0], [5, 1]),
      [`pg_stat_activity_count{${EXPORTER},datname="mlflow",state="active"}`]: gauge(
        [5, 1],
        [20, requestsPerPod],
        [5, 1],
      ),
      [`pg_stat_activity_count{${EXPORTER},datname="mlflow",state="idle in transaction"}`]: gauge(
        [5, 0],
        [20, requestsPerPod],
        [5, 0],
      ),
      [`pg_stat_activity_count{${EXPORTER},datname="mlflow",state="idle"}`]: gauge([30, 100]),
    },
    quiet: [4, 14.5, 25],
    fires: [15, 24.5],
    summary: 'The server holds 100% of the transactions that it can have at once.',
  },
  {
    alert: MlflowAlert.VOLUME_NEARLY_FULL,
    when: 'a tenth is left',
    series: {
      'kubelet_volume_stats_capacity_bytes{namespace="team",persistentvolumeclaim="mlflow-artifacts"}': gauge([
        30, 1000,
      ]),
      'kubelet_volume_stats_available_bytes{namespace="team",persistentvolumeclaim="mlflow-artifacts"}': gauge(
        [5, 500],
        [20, 100],
        [5, 500],
      ),
    },
    quiet: [4, 14.5, 25],
    fires: [15, 24.5],
    labels: { persistentvolumeclaim: 'mlflow-artifacts' },
    summary: 'The volume mlflow-artifacts is 90% full.',
  },
  {
    alert: MlflowAlert.BACKUP_TOO_OLD,
    when: 'the last success is 26 hours ago',
    // Time begins at 0.
    series: {
      'kube_cronjob_created{namespace="team",cronjob="backup"}': gauge([1600, 0]),
      'kube_cronjob_status_last_successful_time{namespace="team",cronjob="backup"}': gauge([1580, 0], [20, 1580 * 60]),
    },
    quiet: [1560, 1580],
    fires: [1561, 1579],
    labels: { cronjob: 'backup' },
    summary: [
      'The last good backup of backup is 1d 2h 1m 0s old.',
      'The last good backup of backup is 1d 2h 19m 0s old.',
    ],
  },
  {
    alert: MlflowAlert.BACKUP_TOO_OLD,
    when: 'it never succeeded',
    series: { 'kube_cronjob_created{namespace="team",cronjob="backup"}': gauge([1600, 0]) },
    quiet: [1560],
    fires: [1561],
    labels: { cronjob: 'backup' },
    summary: 'The last good backup of backup is 1d 2h 1m 0s old.',
  },
  {
    alert: MlflowAlert.OPERATION_FAILED,
    when: 'a run is over and did not succeed, until the next one does',
    series: {
      'kube_cronjob_status_last_schedule_time{namespace="team",cronjob="backup"}': gauge([10, 60], [20, 600]),
      'kube_cronjob_status_last_successful_time{namespace="team",cronjob="backup"}': gauge([25, 90], [5, 1500]),
      'kube_cronjob_status_active{namespace="team",cronjob="backup"}': gauge([10, 0], [4, 1], [16, 0]),
    },
    quiet: [9, 13, 18.5, 26],
    fires: [20, 24],
    labels: { cronjob: 'backup' },
    summary: 'The last run of backup did not succeed.',
  },
  {
    alert: MlflowAlert.OPERATION_FAILED,
    when: 'the first run did not succeed',
    series: {
      'kube_cronjob_status_last_schedule_time{namespace="team",cronjob="backup"}': gauge([20, 60]),
      'kube_cronjob_status_active{namespace="team",cronjob="backup"}': gauge([4, 1], [16, 0]),
    },
    quiet: [3, 8.5],
    fires: [10],
    labels: { cronjob: 'backup' },
    summary: 'The last run of backup did not succeed.',
  },
];

test('every alert has a case', () => {
  const proven = CASES.filter(({ fires }) => fires.length > 0).map(({ alert }) => alert);
  assert.deepEqual([...new Set(proven)].sort(), Object.values(MlflowAlert).sort());
  assert.deepEqual(rules.map(({ alert }) => alert).sort(), Object.values(MlflowAlert).sort());
});

test('Prometheus accepts the rules', () => run(['check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml']));

for (const [i, { alert, when, series, quiet, fires, labels, summary }] of CASES.entries()) {
  test(`${alert}: ${when}`, () => {
    const rule = ruleOf(alert);
    const summaries = [summary].flat();
    const expected = (j) => ({
      exp_labels: { ...rule.labels, ...labels },
      exp_annotations: { summary: summaries[j] ?? summaries[0], description: rule.annotations.description },
    });
    runTest(`case-${String(i)}.yaml`, {
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: [
        ...quiet.map((minute) => ({ alertname: alert, eval_time: time(minute), exp_alerts: [] })),
        ...fires.map((minute, j) => ({ alertname: alert, eval_time: time(minute), exp_alerts: [expected(j)] })),
      ],
    });
  });
}

test('panels on failures show 0 until something fails, and what fails then', () => {
  const expression = (title, i) => panels.find((panel) => panel.title === title).targets[i].expr;
  const at = (minute, expr, value) => ({
    expr: expr.replaceAll('$__rate_interval', '2m'),
    eval_time: time(minute),
    exp_samples: [{ labels: '{}', value }],
  });
  const failed = expression('Failed requests', 0);
  const errors = expression('Traces over OTLP', 1);
  runTest('panels.yaml', {
    input_series: [
      { series: `mlflow_http_request_total{${SERVER},status="200"}`, values: gauge([5, '_']) + counter([20, 90]) },
      { series: `mlflow_http_request_total{${SERVER},status="500"}`, values: gauge([10, '_']) + counter([15, 10]) },
      {
        series: `mlflow_trace_ingestion_server_errors_total{${SERVER},reason="x"}`,
        values: gauge([10, '_']) + counter([15, 30]),
      },
    ],
    promql_expr_test: [at(2, failed, 0), at(9, failed, 0), at(20, failed, 0.1), at(9, errors, 0), at(20, errors, 1)],
  });
});

/** The alerts and panels of a server with everything that brings some. */
function synthesized() {
  const scope = new Chart(Testing.app(), 'chart', { namespace: 'team' });
  const backend = new lib.ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'db-login' });
  const backup = new lib.PostgresBackup(scope, 'backup', { backend, target: lib.BackupLocation.volume() });
  new lib.MlflowMonitoring(scope, 'monitoring', {
    server: new lib.MlflowServer(scope, 'mlflow', {
      backend,
      metrics: true,
      replicas: 1,
      databaseMigration: lib.DatabaseMigration.job(),
    }),
    postgresExporter: new lib.PostgresExporter(scope, 'exporter', { backend }),
    backups: [backup],
    operations: [backup],
  });
  const objects = Testing.synth(scope);
  const dashboard = objects.find(({ metadata }) => metadata.name === 'monitoring-dashboard');
  return {
    rules: objects.find(({ kind }) => kind === 'PrometheusRule').spec.groups[0].rules,
    panels: JSON.parse(dashboard.data['monitoring-dashboard.json']).panels,
  };
}

function ruleOf(alert) {
  return rules.find((rule) => rule.alert === alert);
}

function runTest(file, group) {
  const content = {
    rule_files: ['rules.yaml'],
    evaluation_interval: '30s',
    fuzzy_compare: true,
    tests: [{ interval: '30s', ...group }],
  };
  writeFileSync(join(folder, file), JSON.stringify(content));
  run(['test', 'rules', file]);
}

function run(args) {
  const { status, stdout, stderr } = spawnSync(promtool(), args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
}

/** Values for so many minutes each. */
function gauge(...parts) {
  return parts.map(([minutes, value]) => `${String(value)} `.repeat(minutes * PER_MINUTE)).join('');
}

/** A counter that grows by so much with each sample, for so many minutes each. */
function counter(...parts) {
  let count = 0;
  const steps = parts.flatMap(([minutes, step]) => new Array(minutes * PER_MINUTE).fill(step));
  return steps.map((step) => `${String((count += step))} `).join('');
}

function time(minutes) {
  return `${String(minutes * 60)}s`;
}
