// npm run test:matrix: the core of test:e2e on pairs of MLflow and PostgreSQL. What ran is recorded in results.json and docs/support.md.
// npm run test:matrix 3.18.0@18 3.17.2@14: these pairs; with `-- --subject=hosts`, this subject alone, the others stay as they are recorded. npm run test:matrix -- --diagonal: what the CI runs, recorded nowhere.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DIAGONAL, PAIRS, SUBJECTS, outcomes, passes, previous } from './matrix.mjs';
import { record } from './support-table.mjs';

const given = process.argv.slice(2);
const isDiagonal = given.includes('--diagonal');
const only = given.find((each) => each.startsWith('--subject='))?.slice('--subject='.length);
const named = given.filter((each) => !each.startsWith('--')).map(pairOf);
const pairs = named.length > 0 ? named : isDiagonal ? DIAGONAL : PAIRS;
const scratch = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-matrix-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

let failures = 0;
for (const { mlflow, postgres } of pairs) {
  const from = previous(mlflow);
  const found = run(mlflow, postgres, from);
  for (const [subject, outcome] of Object.entries(found)) {
    const { passed, failed, skipped } = outcome;
    failures += passes(outcome) ? 0 : 1;
    const reasons = skipped.length > 0 ? `: ${[...new Set(skipped)].join('; ')}` : '';
    console.log(
      `${passes(outcome) ? 'ok  ' : 'FAIL'} MLflow ${mlflow} on PostgreSQL ${postgres}: ${subject}: ` +
        `${passed} passed, ${failed} failed, ${skipped.length} skipped${reasons}`,
    );
  }
  // A run that ended before its first case says nothing about the pair.
  if (!isDiagonal && Object.values(found).some(({ passed, failed }) => passed + failed > 0)) {
    record({ mlflow, postgres, from, subjects: found });
  }
}
if (failures > 0) {
  console.error(`${failures} subjects failed or have no case that passed.`);
  process.exit(1);
}

function pairOf(text) {
  const [, mlflow, postgres] = /^(\d+\.\d+\.\d+\w*)@(\d+)$/.exec(text) ?? [];
  if (!mlflow) {
    console.error(`"${text}": give pairs as mlflow@postgres, such as 3.18.0@18.`);
    process.exit(2);
  }
  return { mlflow, postgres };
}

/** One run of test:e2e for all subjects of a pair. */
function run(mlflow, postgres, from) {
  const chosen = Object.entries(SUBJECTS)
    .map(([subject, { cases, diagonal }]) => [subject, isDiagonal ? diagonal : cases])
    .filter(([subject, words]) => words && (only ?? subject) === subject);
  const junit = join(scratch, `${mlflow}@${postgres}.xml`);
  const env = { ...process.env, E2E_MLFLOW: mlflow, E2E_POSTGRES: postgres, E2E_OLD_MLFLOW: from };
  const expression = chosen.flatMap(([, words]) => words).join(' or ');
  const script = join(import.meta.dirname, '..', 'pods', 'run.mjs');
  spawnSync(process.execPath, [script, `--junitxml=${junit}`, '-k', expression], { stdio: 'inherit', env });
  return outcomes(Object.fromEntries(chosen), existsSync(junit) ? readFileSync(junit, 'utf8') : '');
}
