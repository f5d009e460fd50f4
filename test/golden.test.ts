import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { App, type Chart, Testing, Yaml } from 'cdk8s';

import { addExamples } from '../examples/all';

import type { Manifest } from './support/synth';

const FOLDER = join(__dirname, 'golden');
const SCRIPTS = readdirSync(join(__dirname, '..', 'lib', 'scripts'), { recursive: true, encoding: 'utf8' }).map(
  (file) => basename(file),
);

/** The examples as they are synthesized, but for the bodies of the scripts, which have tests of their own. */
function examples(): Record<string, Manifest[]> {
  const app = new App({ outdir: Testing.app().outdir });
  addExamples(app);
  app.synth();
  return Object.fromEntries(app.charts.map((chart: Chart) => [chart.node.id, chart.toJson().map(withoutScripts)]));
}

function withoutScripts(manifest: Manifest): Manifest {
  if (manifest.kind !== 'ConfigMap') {
    return manifest;
  }
  const data = Object.entries(manifest.data as Record<string, string>).map(([file, body]) => [
    file,
    SCRIPTS.includes(file) ? `(lib/scripts/${file})` : body,
  ]);
  return { ...manifest, data: Object.fromEntries(data) };
}

const synthesized = examples();

test.each(Object.keys(synthesized))('%s', (name) => {
  const file = join(FOLDER, `${name}.yaml`);
  const yaml = Yaml.stringify(...(synthesized[name] ?? []));
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(file, yaml);
  }
  expect(yaml).toBe(readFileSync(file, 'utf8'));
});

test('no golden file without its example', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(
    Object.keys(synthesized)
      .map((name) => `${name}.yaml`)
      .sort(),
  );
});
