// node test/judges/helm.mjs: the examples by `cdk8s synth --format helm`, rendered by Helm's own engine, against the plain YAML.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { parseAllDocuments } from 'yaml';

import { goInstall, installed, makeVirtualenv, quiet, stop } from '../support/tools.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '..', '..');
const GO = join(HERE, '..', 'support', 'requirements-go.txt');
const PROGRAM = ['main.go', 'go.mod', 'go.sum'].map((name) => join(HERE, 'helm', name));
const CLI = join(ROOT, 'node_modules', '.bin', 'cdk8s');

/** Ends all unless both formats are the same objects; how many these are. */
export function checkHelmChart() {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-helm-'));
  try {
    const [plain, chart] = [join(folder, 'plain'), join(folder, 'chart')];
    synth(plain);
    synth(chart, '--format', 'helm', '--chart-version', '1.0.0');
    const expected = objectsOf(
      readdirSync(plain)
        .filter((file) => file.endsWith('.k8s.yaml'))
        .map((file) => readFileSync(join(plain, file), 'utf8')),
    );
    const rendered = objectsOf([quiet(join(install(), 'helm-template'), [chart], { maxBuffer: 1e9 })]);
    const wrong = expected.filter((object, i) => !isDeepStrictEqual(object, rendered[i]));
    if (expected.length === 0 || expected.length !== rendered.length || wrong.length > 0) {
      stop(
        `helm template renders ${rendered.length} objects instead of ${expected.length}; others than in plain YAML: ${wrong.map(nameOf).join(', ')}`,
      );
    }
    return expected.length;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function synth(output, ...options) {
  quiet(CLI, ['synth', '--output', output, ...options], {
    cwd: ROOT,
    env: { ...process.env, CDK8S_CHECK_UPGRADE: 'false' },
  });
}

/** In one order, since Helm sorts by kind. */
function objectsOf(texts) {
  return texts
    .flatMap((text) => parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS()))
    .filter((object) => object !== null)
    .map((object) => [JSON.stringify(object), object])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, object]) => object);
}

function nameOf({ kind, metadata }) {
  return `${kind}/${metadata.name}`;
}

function install() {
  const folder = installed('helm', [GO, ...PROGRAM], [], (made) => {
    const bin = join(made, 'bin');
    makeVirtualenv('python3', made, ['-r', GO]);
    goInstall(join(bin, 'go'), '.', bin, { cwd: join(HERE, 'helm') });
  });
  return join(folder, 'bin');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`Helm renders ${checkHelmChart()} objects as they are in plain YAML`);
}
