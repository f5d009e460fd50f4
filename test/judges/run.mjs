// node test/judges/run.mjs: kube-score, checkov and Kubernetes' own Pod Security "restricted" over every golden example.
// What they find has to be in acknowledged.yaml, with the reason, and what is in there has to be found.
// With files as arguments, it counts what is found in those, whatever is acknowledged.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { countsOf, disagreements } from './findings.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const GOLDEN = join(HERE, '..', 'golden');
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cdk8s-mlflow');
const UV = 'uv==0.13.9';
const KUBE_SCORE = 'github.com/zegl/kube-score/cmd/kube-score@v1.20.0';

const given = process.argv.slice(2);
const files =
  given.length > 0
    ? given
    : readdirSync(GOLDEN)
        .sort()
        .map((file) => join(GOLDEN, file));
const tools = install();
const findings = [...kubeScore(files), ...checkov(files), ...podSecurity(files)];
if (given.length > 0) {
  console.table(countsOf(findings, files.map(exampleOf)));
} else {
  const acknowledged = parse(readFileSync(join(HERE, 'acknowledged.yaml'), 'utf8'));
  const wrong = disagreements(findings, acknowledged, files.map(exampleOf));
  wrong.forEach((line) => console.error(line));
  const count = findings.filter(({ counts }) => counts).length;
  console.log(`${files.length} examples, ${count} findings, ${wrong.length} disagreements with acknowledged.yaml`);
  process.exit(wrong.length === 0 ? 0 : 1);
}

function kubeScore(paths) {
  return paths.flatMap((path) => {
    const { stdout } = run(
      join(tools, 'kube-score'),
      ['score', '--kubernetes-version=v1.28', '--output-format=json', path],
      [0, 1],
    );
    return (JSON.parse(stdout) ?? []).flatMap(({ object_name: object, checks }) =>
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
  });
}

function checkov(paths) {
  // Without an API key it has no severities: what fails counts.
  const options = ['--framework', 'kubernetes', '--skip-download', '--compact', '--quiet', '--output', 'json'];
  const { stdout } = run(join(tools, 'checkov'), [...options, '--file', ...paths], [0, 1]);
  return JSON.parse(stdout).results.failed_checks.map((failed) => ({
    judge: 'checkov',
    id: failed.check_id,
    example: exampleOf(failed.file_path),
    counts: true,
    text: `${failed.resource}: ${failed.check_name}`,
  }));
}

function podSecurity(paths) {
  const { pods, findings: forbidden } = JSON.parse(run(join(tools, 'pod-security'), paths, [0]).stdout);
  if (pods === 0) {
    stop('pod-security has seen no pod.');
  }
  return forbidden.map(({ file, object, id, detail }) => ({
    judge: 'pod-security',
    id,
    example: exampleOf(file),
    counts: true,
    text: `${object}: ${detail}`,
  }));
}

function exampleOf(path) {
  return basename(path, '.yaml');
}

/** The folder of the judges' programs, outside of git, made once for each version of them. */
function install() {
  const sources = ['requirements.txt', 'pod-security/main.go', 'pod-security/go.mod', 'pod-security/go.sum'];
  const digest = createHash('sha256').update([UV, KUBE_SCORE].join());
  sources.forEach((source) => digest.update(readFileSync(join(HERE, source))));
  const folder = join(CACHE, `judges-${digest.digest('hex').slice(0, 8)}`);
  const bin = join(folder, 'bin');
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    console.log(`Installing the judges into ${folder}`);
    mkdirSync(CACHE, { recursive: true });
    rmSync(folder, { recursive: true, force: true });
    run('python3', ['-m', 'venv', folder]);
    const python = join(bin, 'python');
    run(python, ['-m', 'pip', 'install', '--quiet', UV]);
    run(python, ['-m', 'uv', 'pip', 'install', '--python', python, '-r', join(HERE, 'requirements.txt')]);
    const go = {
      ...process.env,
      GOBIN: bin,
      GOCACHE: join(folder, 'go-build'),
      GOPATH: join(folder, 'go'),
      GOFLAGS: '-modcacherw',
      GOTOOLCHAIN: 'local',
    };
    run(join(bin, 'go'), ['install', KUBE_SCORE], [0], { env: go });
    run(join(bin, 'go'), ['install', '.'], [0], { env: go, cwd: join(HERE, 'pod-security') });
    ['go', 'go-build'].forEach((name) => rmSync(join(folder, name), { recursive: true, force: true }));
    writeFileSync(complete, '');
  }
  return bin;
}

/** Runs a command; what it says matters only if it ends otherwise than expected. */
function run(command, args, expected = [0], options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1e9, ...options });
  if (!expected.includes(done.status)) {
    stop(
      [done.stdout, done.stderr, done.error?.message, `${command} ${args.join(' ')} failed.`]
        .filter(Boolean)
        .join('\n'),
    );
  }
  return done;
}

function stop(line) {
  console.error(line);
  process.exit(1);
}
