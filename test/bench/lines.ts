// Lines of YAML: of a server, the next in its namespace, 30 in namespaces of their own, and 30 teams of examples/platform.ts.
// npm run bench runs it.
import { App, Chart, Yaml } from 'cdk8s';
import { ClusterSettings, ExternalPostgres, MlflowServer, Rules, ScriptFormat } from 'cdk8s-mlflow';

import { addPlatform } from '../../examples/platform';

const TEAMS = Array.from({ length: 30 }, (_, n) => ({ name: `team-${String(n)}`, replicas: 1, connections: 60 }));

function linesOf(scriptFormat: ScriptFormat, add: (app: App) => void): number {
  const app = new App();
  ClusterSettings.of(app).apply({ scriptFormat });
  // 30 teams need a larger PostgreSQL than the example's.
  Rules.of(app).acknowledge('pool-fits-database', 'this is about lines');
  add(app);
  const yaml = app.charts.map((chart) => Yaml.stringify(...(chart.toJson() as unknown[])));
  return yaml.join('').split('\n').length - 1;
}

function addServers(app: App, count: number): void {
  const chart = new Chart(app, 'chart', { namespace: 'mlflow' });
  for (let n = 0; n < count; n += 1) {
    const login = { host: `db-${String(n)}`, user: 'mlflow', password: 'a-password' };
    const backend = new ExternalPostgres(chart, `postgres-${String(n)}`, login);
    new MlflowServer(chart, `mlflow-${String(n)}`, { backend });
  }
}

function addNamespaces(app: App, count: number): void {
  for (let n = 0; n < count; n += 1) {
    const chart = new Chart(app, `team-${String(n)}`, { namespace: `team-${String(n)}` });
    const login = { host: `db-${String(n)}`, user: 'mlflow', password: 'a-password' };
    new MlflowServer(chart, 'mlflow', { backend: new ExternalPostgres(chart, 'postgres', login) });
  }
}

for (const format of [ScriptFormat.READABLE, ScriptFormat.COMPACT]) {
  const [one, two] = [1, 2].map((count) =>
    linesOf(format, (app) => {
      addServers(app, count);
    }),
  );
  const namespaces = linesOf(format, (app) => {
    addNamespaces(app, TEAMS.length);
  });
  const platform = linesOf(format, (app) => {
    addPlatform(app, TEAMS);
  });
  console.log(
    `${format}: a server ${String(one)}, the next ${String((two ?? 0) - (one ?? 0))}, ` +
      `30 in namespaces of their own ${String(namespaces)}, 30 teams of the platform ${String(platform)}`,
  );
}
