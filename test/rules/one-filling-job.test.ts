import { App, Chart, Testing } from 'cdk8s';
import { DatabaseMove, ExternalPostgres, PgBouncer, Rules, SqliteImport, SqliteSource } from 'cdk8s-mlflow';

const at = (scope: Chart, id: string, host: string, database = 'mlflow'): ExternalPostgres =>
  new ExternalPostgres(scope, id, { host, database, user: 'u', password: `${id}-password` });

function charts(): [App, Chart, Chart] {
  const app = new App({ outdir: Testing.app().outdir });
  return [app, new Chart(app, 'one', { namespace: 'ml' }), new Chart(app, 'two', { namespace: 'ml' })];
}

function moved(host: string, database?: string, reason?: string): () => void {
  const [app, one, two] = charts();
  new DatabaseMove(one, 'move', { source: at(one, 'old-1', 'old-1'), target: at(one, 'new', 'db') });
  new DatabaseMove(two, 'again', { source: at(two, 'old-2', 'old-2'), target: at(two, 'same', host, database) });
  if (reason !== undefined) {
    Rules.of(two).acknowledge('one-filling-job', reason);
  }
  return () => {
    app.synth();
  };
}

test('two moves into one database are an error, however its server is spelled', () => {
  const error =
    'Validation failed with the following errors:\n  [two/again] one-filling-job: only one Job may fill a database, got one/move and two/again on "same": the content would be of whichever comes first, and the other fails. Give each a database of its own, or remove the one that has run from the app.';
  expect(moved('db')).toThrow(new Error(error));
  expect(moved('db.ml.svc.cluster.local')).toThrow(new Error(error));
});

test('so are a move and an import, also behind a pooler', () => {
  const [app, one] = charts();
  const backend = at(one, 'new', 'db');
  new DatabaseMove(one, 'move', { source: at(one, 'old', 'old'), target: backend });
  new SqliteImport(one, 'import', {
    backend: new PgBouncer(one, 'pooler', { backend }),
    source: SqliteSource.fromClaim('old', 'mlflow.db'),
  });
  expect(() => {
    app.synth();
  }).toThrow(/one-filling-job: only one Job may fill a database, got one\/move and one\/import on "pooler"/);
});

test('another database or server is none, and it can be acknowledged', () => {
  expect(moved('db', 'other')).not.toThrow();
  expect(moved('db-2')).not.toThrow();
  expect(moved('db', undefined, 'The first one has run.')).not.toThrow();
});

test('a chain of moves is none: a source is only read', () => {
  const [app, one] = charts();
  const [a, b, c] = ['a', 'b', 'c'].map((host) => at(one, host, host)) as [
    ExternalPostgres,
    ExternalPostgres,
    ExternalPostgres,
  ];
  new DatabaseMove(one, 'first', { source: a, target: b });
  new DatabaseMove(one, 'second', { source: b, target: c });
  expect(() => {
    app.synth();
  }).not.toThrow();
});
