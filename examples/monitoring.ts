import { Chart, Duration } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  MlflowAlert,
  MlflowMonitoring,
  MlflowServer,
  PostgresExporter,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** A server that Prometheus watches and Grafana shows, with its database. */
export class Monitoring extends Chart {
  public constructor(scope: Construct, id: string, namespace: string) {
    super(scope, id, { namespace });

    const postgres = new BitnamiPostgres(this, 'postgres', {
      passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'mlflow_password' }),
    });
    const server = new MlflowServer(this, 'mlflow', { backend: postgres, metrics: true });
    new MlflowMonitoring(this, 'mlflow-monitoring', {
      server,
      // The label by which the Prometheus of the chart kube-prometheus-stack selects what it watches.
      labels: { release: 'kube-prometheus-stack' },
      postgresExporter: new PostgresExporter(this, 'postgres-exporter', { backend: postgres }),
      volumeClaims: postgres.volumeClaims,
      thresholds: { errorRatio: 0.02, latency: Duration.seconds(5) },
      excludeAlerts: [MlflowAlert.PODS_UNAVAILABLE],
      extraRules: [
        {
          name: 'MlflowIdle',
          expression: `sum(rate(mlflow_http_request_total{namespace="${namespace}",job="mlflow"}[1h])) == 0`,
          duration: Duration.days(7),
          summary: 'Nobody has used the server for a week.',
        },
      ],
    });
  }
}
