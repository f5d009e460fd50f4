import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { App, type Chart, Testing, Yaml } from 'cdk8s';

import { addExamples } from '../examples/all';

import type { Manifest } from './support/synth';

const FOLDER = join(__dirname, 'golden');
/** The names that follow from the content of a script, of every example: a changed script changes this file alone. */
const NAMES = join(__dirname, 'golden-names.yaml');
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

/** ConfigMaps of scripts, and the Jobs whose template names such a ConfigMap. */
function namesByContent(manifests: Manifest[]): string[] {
  return manifests
    .filter(({ kind, data = {} }) => kind === 'Job' || Object.keys(data as object).some((key) => SCRIPTS.includes(key)))
    .map(({ metadata }) => metadata.name as string)
    .filter((name) => DIGEST.test(name));
}

function expectFile(file: string, content: string): void {
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(file, content);
  }
  expect(content).toBe(readFileSync(file, 'utf8'));
}

const DIGEST = /-[0-9a-f]{8}$/;
const synthesized = examples();
const names = Object.fromEntries(
  Object.entries(synthesized).map(([example, manifests]) => [example, namesByContent(manifests)]),
);

/** Names without their digests. Several that differ in nothing else are numbered, since others refer to them. */
function withoutDigests(all: readonly string[]): [string, string][] {
  const stems = all.map((name) => name.replace(DIGEST, '-digest'));
  return all.map((name, i) => {
    const stem = stems[i] ?? '';
    const number = stems.slice(0, i + 1).filter((each) => each === stem).length;
    return [name, number === 1 ? stem : `${stem}-${String(number)}`];
  });
}

test.each(Object.entries(synthesized))('%s', (example, manifests) => {
  const yaml = withoutDigests(names[example] ?? []).reduce(
    (text, [name, shown]) => text.replaceAll(name, shown),
    Yaml.stringify(...manifests),
  );
  expectFile(join(FOLDER, `${example}.yaml`), yaml);
});

test('names that follow from the content of a script', () => {
  expectFile(NAMES, Yaml.stringify(names));
});

test('no golden file without its example', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(
    Object.keys(synthesized)
      .map((name) => `${name}.yaml`)
      .sort(),
  );
});
