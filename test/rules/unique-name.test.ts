import { App, Chart, Testing } from 'cdk8s';

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
      'Validation failed with the following errors:\n  [chart-2/mlflow] `id` must be unique in the namespace "ml", got "mlflow", which chart-0/mlflow has too. Give one of them another id, or its chart another namespace.',
    ),
  );
});

test('other namespaces, and charts whose namespace is not known, are not', () => {
  expect(synthesize('a', 'b', undefined, undefined)).not.toThrow();
});
