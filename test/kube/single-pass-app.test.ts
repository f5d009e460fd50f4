import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App, Chart, type AppProps, YamlOutputType } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { ExternalPostgres, MlflowServer, SinglePassApp } from '../../lib';

/** Charts with servers, one in another, one that depends on another. Counts the validations of the app. */
function fill(app: App): () => number {
  let validations = 0;
  app.node.addValidation({
    validate: () => {
      validations += 1;
      return [];
    },
  });
  const chartOf = (id: string): Chart => {
    const chart = new Chart(app, id, { namespace: id });
    const backend = new ExternalPostgres(chart, 'db', { host: `${id}.example.com`, user: 'mlflow', password: 'x' });
    new MlflowServer(chart, 'mlflow', { backend });
    return chart;
  };
  const [first, outer, last] = [chartOf('c'), chartOf('a'), chartOf('b')];
  new kplus.ConfigMap(new Chart(outer, 'inner', { namespace: 'inner' }), 'map', { data: { key: 'value' } });
  first.addDependency(last);
  return () => validations;
}

function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return Object.fromEntries(
    names.map(({ parentPath, name }) => [
      join(parentPath, name).slice(folder.length),
      readFileSync(join(parentPath, name), 'utf8'),
    ]),
  );
}

function synthesized(make: (props: AppProps) => App, props: AppProps): [Record<string, string>, number] {
  const outdir = mkdtempSync(join(tmpdir(), 'single-pass-'));
  const app = make({ ...props, outdir });
  const validations = fill(app);
  app.synth();
  return [filesOf(outdir), validations()];
}

const TYPES = Object.values(YamlOutputType).filter((each) => typeof each === 'number');

test.each(TYPES)('an app in a single pass makes the same files: output type %p', (yamlOutputType) => {
  const props = { yamlOutputType, recordConstructMetadata: true };
  const [files] = synthesized((each) => new App(each), props);
  const [inSinglePass, validations] = synthesized((each) => new SinglePassApp(each), props);
  expect(inSinglePass).toEqual(files);
  expect(Object.keys(files).length).toBeGreaterThan(1);
  expect(validations).toBe(1);
});

test('an app in a single pass makes the same text', () => {
  const [app, singlePass] = [new App(), new SinglePassApp()];
  fill(app);
  const validations = fill(singlePass);
  expect(singlePass.synthYaml()).toBe(app.synthYaml());
  expect(validations()).toBe(1);
});

test('an app in a single pass fails as another, with all problems, and leaves its charts as they were', () => {
  const errors = [new App(), new SinglePassApp()].map((app) => {
    fill(app);
    for (const [id, text] of Object.entries({ one: 'first', two: 'second' })) {
      new Chart(app, id).node.addValidation({ validate: () => [text] });
    }
    expect(() => app.synthYaml()).toThrow(/\[one\] first\n {2}\[two\] second/);
    expect(app.charts.every((each) => each.toJson === Chart.prototype.toJson)).toBe(true);
    return app;
  });
  // A chart by itself is validated, too.
  expect(() => (errors[1]?.node.findChild('a') as Chart).toJson()).toThrow('[one] first');
});

test('an app in a single pass lets a chart render itself', () => {
  class OwnChart extends Chart {
    public override toJson(): unknown[] {
      return [{ kind: 'Own' }];
    }
  }
  const app = new SinglePassApp();
  new OwnChart(app, 'own');
  expect(app.synthYaml()).toBe('kind: Own\n');
});
