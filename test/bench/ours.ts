import { Chart } from 'cdk8s';
import { ExternalPostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** A chart of `count` servers, each with a backend, as a user of the library writes it. */
export function ourChart(app: Construct, count: number): Chart {
  const chart = new Chart(app, 'chart');
  for (let n = 0; n < count; n += 1) {
    addServer(chart, n);
  }
  return chart;
}

/** A chart for each of `count` servers, and a namespace, where asked for. */
export function ourCharts(app: Construct, count: number, inNamespaces: boolean): void {
  for (let n = 0; n < count; n += 1) {
    const id = `chart-${String(n)}`;
    addServer(new Chart(app, id, inNamespaces ? { namespace: id } : {}), n);
  }
}

function addServer(chart: Chart, n: number): void {
  const backend = new ExternalPostgres(chart, `postgres-${String(n)}`, {
    host: 'db',
    user: 'mlflow',
    password: 'secret',
  });
  new MlflowServer(chart, `mlflow-${String(n)}`, { backend });
}
