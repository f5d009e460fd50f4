import { App, Chart, Testing } from 'cdk8s';
import { Rules } from 'cdk8s-mlflow';

import { server } from '../support/synth';

function synthesize(...namespaces: (string | undefined)[]): () => void {
  const app = new App({ outdir: Testing.app().outdir });
  namespaces.forEach((namespace, i) => {
    server(new Chart(app, `chart-${String(i)}`, { namespace }));
  });
  return () => {
    app.synth();
  };
}

test('two servers of one name in one namespace are an error', () => {
  expect(synthesize('ml', 'other', 'ml')).toThrow(
    new Error(
      'Validation failed with the following errors:\n  [chart-2/mlflow] unique-name: `id` must be unique in the namespace "ml", got "mlflow", which chart-0/mlflow has too. Give one of them another id, or its chart another namespace.',
    ),
  );
});

test('other namespaces, and charts whose namespace is not known, are not', () => {
  expect(synthesize('a', 'b', undefined, undefined)).not.toThrow();
});

test('three of one name are one error', () => {
  expect(synthesize('ml', 'ml', 'ml')).toThrow(
    new Error(
      'Validation failed with the following errors:\n  [chart-2/mlflow] unique-name: `id` must be unique in the namespace "ml", got "mlflow", which chart-0/mlflow, chart-1/mlflow have too. Give one of them another id, or its chart another namespace.',
    ),
  );
});

test('charts for different clusters may acknowledge it', () => {
  const app = new App({ outdir: Testing.app().outdir });
  server(new Chart(app, 'east', { namespace: 'ml' }));
  const west = new Chart(app, 'west', { namespace: 'ml' });
  server(west);
  Rules.of(west).acknowledge('unique-name', 'Each chart is applied to a cluster of its own.');
  expect(() => {
    app.synth();
  }).not.toThrow();
});
