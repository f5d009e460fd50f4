import { App, Chart, Testing } from 'cdk8s';
import {
  Autoscaling,
  type IPostgresBackend,
  type MlflowServerProps,
  PgBouncer,
  Rules,
  SqliteImport,
  SqliteSource,
} from 'cdk8s-mlflow';

import { anyBackend, server } from '../support/synth';

const SHARED = { autoscaling: Autoscaling.byResources({ maxReplicas: 4 }) };

function synthesis(
  props: Partial<MlflowServerProps>,
  importBackend: (scope: Chart, backend: IPostgresBackend) => IPostgresBackend = (_, backend) => backend,
  reason?: string,
): () => void {
  const app = new App({ outdir: Testing.app().outdir });
  const servers = new Chart(app, 'servers');
  const backend = anyBackend(servers);
  const imports = new Chart(app, 'imports');
  // Before the server, which the rule has to see all the same.
  new SqliteImport(imports, 'import', {
    backend: importBackend(imports, backend),
    source: SqliteSource.fromClaim('old', 'mlflow.db'),
  });
  server(servers, { backend, ...props });
  if (reason !== undefined) {
    Rules.of(servers).acknowledge('no-server-while-importing', reason);
  }
  return () => {
    app.synth();
  };
}

const failed = 'Validation failed with the following errors:\n  [imports/import] no-server-while-importing: ';
const hint = 'Set its `replicas` to 0 for the import, and remove the import from the app afterwards.';

test('a server with pods on the database of an import is an error', () => {
  expect(synthesis({})).toThrow(
    new Error(
      `${failed}no server may run on "postgres" during an import, got servers/mlflow with \`replicas\` 1. ${hint}`,
    ),
  );
});

test('so is one that scales by itself', () => {
  const artifactRoot = { bind: () => ({ destination: 's3://bucket', visibility: 'cluster' }) } as never;
  expect(synthesis({ ...SHARED, artifactRoot })).toThrow(/servers\/mlflow with `autoscaling\.maxReplicas` 4\./);
});

test('a pooler in front does not hide it', () => {
  const pooled = synthesis({}, (scope, backend) => new PgBouncer(scope, 'pooler', { backend }));
  expect(pooled).toThrow(/no server may run on "pooler" during an import, got servers\/mlflow with/);
});

test('without pods, or on another database, it may be there', () => {
  expect(synthesis({ replicas: 0 })).not.toThrow();
  expect(synthesis({}, (scope) => anyBackend(scope))).not.toThrow();
});

test('whoever stops the server otherwise may acknowledge it', () => {
  expect(synthesis({}, undefined, 'The server is scaled to zero by hand.')).not.toThrow();
});
