// node test/judges/run.mjs: kube-score, checkov, Kubernetes' own Pod Security "restricted" and the API server's own validation
// over every golden example.
// What they find has to be in acknowledged.yaml, with the reason, and what is in there has to be found.
// With files as arguments, it counts what is found in those, whatever is acknowledged.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { goInstall, installed, makeVirtualenv, stop } from '../support/tools.mjs';

import { ApiValidation } from './api-validation.mjs';
import { countsOf, disagreements } from './findings.mjs';
import { checkHelmChart } from './helm.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const GOLDEN = join(HERE, '..', 'golden');
const KUBE_SCORE = 'github.com/zegl/kube-score/cmd/kube-score@v1.20.0';

const given = process.argv.slice(2);
const files =
  given.length > 0
    ? given
    : readdirSync(GOLDEN)
        .sort()
        .map((file) => join(GOLDEN, file));
const tools = install();
const api = new ApiValidation();
const findings = await judge(files);
api.end();
if (given.length > 0) {
  console.table(countsOf(findings, files.map(exampleOf)));
} else {
  const acknowledged = parse(readFileSync(join(HERE, 'acknowledged.yaml'), 'utf8'));
  const wrong = disagreements(findings, acknowledged, files.map(exampleOf));
  wrong.forEach((line) => console.error(line));
  console.log(`Helm renders ${checkHelmChart()} objects as they are in plain YAML`);
  const count = findings.filter(({ counts }) => counts).length;
  console.log(`${files.length} examples, ${count} findings, ${wrong.length} disagreements with acknowledged.yaml`);
  process.exit(wrong.length === 0 ? 0 : 1);
}

/** Each file by itself, since a NetworkPolicy of one example would count for the pods of another. */
async function judge(paths) {
  const waiting = [...paths];
  const found = [];
  const worker = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      found.push(...(await kubeScore(path)), ...(await podSecurity(path)), ...(await apiValidation(path)));
    }
  };
  const [byCheckov] = await Promise.all([checkov(paths), ...Array.from({ length: availableParallelism() }, worker)]);
  return [...found, ...byCheckov];
}

async function kubeScore(path) {
  const options = ['score', '--kubernetes-version=v1.28', '--output-format=json'];
  const objects = await answerOf('kube-score', [...options, path]);
  return (objects ?? []).flatMap(({ object_name: object, checks }) =>
    checks
      .filter(({ grade, skipped }) => !skipped && grade < 10)
      .flatMap(({ check, grade, comments }) =>
        (comments ?? [{ summary: check.name }]).map(({ path: where, summary }) => ({
          judge: 'kube-score',
          id: check.id,
          example: exampleOf(path),
          counts: grade === 1,
          text: [object, where, summary].filter(Boolean).join(': '),
        })),
      ),
  );
}

/** Of all files in one process, which still judges each by itself. */
async function checkov(paths) {
  const answer = await answerOf('python', [join(HERE, 'checkov_each.py'), ...paths]);
  return paths.flatMap((path) =>
    answer[path].map((failed) => ({ judge: 'checkov', example: exampleOf(path), counts: true, ...failed })),
  );
}

async function podSecurity(path) {
  const { pods, findings: forbidden } = await answerOf('pod-security', [path]);
  if (pods === 0) {
    stop(`pod-security has seen no pod in ${path}.`);
  }
  return forbidden.map(({ object, id, detail }) => ({
    judge: 'pod-security',
    id,
    example: exampleOf(path),
    counts: true,
    text: `${object}: ${detail}`,
  }));
}

async function apiValidation(path) {
  const { objects, refusals, warnings, differences, unjudged } = await api.judge(path, readFileSync(path, 'utf8'));
  if (objects === 0) {
    stop(`api-validation has seen no object in ${path}.`);
  }
  const finding = (id, text) => ({ judge: 'api-validation', id, example: exampleOf(path), counts: true, text });
  return [
    ...refusals.map(({ object, field, message }) => finding('refused', `${object}: ${field}: ${message}`)),
    ...warnings.map(({ object, message }) => finding('warning', `${object}: ${message}`)),
    ...differences.map((each) =>
      finding('differs', `${each.object} with ${each.with}: ${each.field}: ${each.message}`),
    ),
    ...unjudged.map((object) => finding(`not-judged-${object.split('/')[0]}`, `${object}: its rules are not at hand`)),
  ];
}

/** What a judge prints. That it has found something is its exit code 1, too. */
async function answerOf(judge, args) {
  const { error, stdout, stderr } = await new Promise((resolve) =>
    execFile(join(tools, judge), args, { maxBuffer: 1e9 }, (error, stdout, stderr) =>
      resolve({ error, stdout, stderr }),
    ),
  );
  try {
    return JSON.parse(stdout);
  } catch {
    return stop([stdout, stderr, error?.message, `${judge} gave no answer.`].filter(Boolean).join('\n'));
  }
}

function exampleOf(path) {
  return basename(path, '.yaml');
}

/** The folder of the judges' programs. */
function install() {
  const own = ['requirements.txt', 'pod-security/main.go', 'pod-security/go.mod', 'pod-security/go.sum'];
  const requirements = [join(HERE, 'requirements.txt'), join(HERE, '..', 'support', 'requirements-go.txt')];
  const sources = [...own.map((name) => join(HERE, name)), ...requirements];
  const folder = installed('judges', sources, [KUBE_SCORE], (made) => {
    const bin = join(made, 'bin');
    makeVirtualenv(
      'python3',
      made,
      requirements.flatMap((list) => ['-r', list]),
    );
    goInstall(join(bin, 'go'), KUBE_SCORE, bin);
    goInstall(join(bin, 'go'), '.', bin, { cwd: join(HERE, 'pod-security') });
  });
  return join(folder, 'bin');
}
