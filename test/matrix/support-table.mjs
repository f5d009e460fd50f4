// The table of versions in docs/support.md, made of results.json. `node test/matrix/support-table.mjs --check` compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SUBJECTS, compare, passes } from './matrix.mjs';

const RESULTS = join(import.meta.dirname, 'results.json');
const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'support.md');
const TABLE = /(<!-- test:matrix -->\n)[\s\S]*?(<!-- end of test:matrix -->)/;

/** Puts what a pair's run found in the place of what the one before it found of the same subjects. */
export function record(result) {
  const isSame = ({ mlflow, postgres }) => mlflow === result.mlflow && postgres === result.postgres;
  const before = results().find(isSame)?.subjects;
  result.subjects = Object.fromEntries(
    Object.keys(SUBJECTS).flatMap((key) => {
      const outcome = result.subjects[key] ?? before?.[key];
      return outcome ? [[key, outcome]] : [];
    }),
  );
  const others = results().filter((each) => !isSame(each));
  const sorted = [...others, result].sort((a, b) => compare(a.mlflow, b.mlflow) || compare(a.postgres, b.postgres));
  writeFileSync(RESULTS, `${JSON.stringify(sorted, undefined, 2)}\n`);
  writeFileSync(PAGE, page());
}

function results() {
  return existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : [];
}

function page() {
  const rows = results().map(({ mlflow, postgres, from, subjects }) => {
    const shown = Object.keys(SUBJECTS).filter((subject) => subjects[subject] && passes(subjects[subject]));
    const other = Object.keys(SUBJECTS).filter((subject) => !shown.includes(subject));
    const cases = Object.values(subjects).reduce((sum, { passed }) => sum + passed, 0);
    const skipped = Object.values(subjects).flatMap((each) => each.skipped);
    const notShown = [
      ...other.map((subject) => `${subject} (${subjects[subject]?.failed ? 'failed' : 'not run'})`),
      ...(skipped.length > 0 ? [`${skipped.length} skipped: ${[...new Set(skipped)].join('; ')}`] : []),
    ];
    const all = other.length === 0 ? 'all' : shown.join(', ') || 'none';
    return `| ${mlflow} | ${postgres} | ${from} | ${all} (${cases} cases) | ${notShown.join(', ')} |\n`;
  });
  const table = [
    `Subjects: ${Object.keys(SUBJECTS).join('; ')}.\n\n`,
    '| MLflow | PostgreSQL | upgraded from | subjects that passed | that did not |\n| --- | --- | --- | --- | --- |\n',
    ...rows,
  ].join('');
  return readFileSync(PAGE, 'utf8').replace(TABLE, (_, begin, end) => `${begin}\n${table}\n${end}`);
}

if (process.argv[1] === import.meta.filename) {
  if (!process.argv.includes('--check')) {
    writeFileSync(PAGE, page());
  } else if (page() !== readFileSync(PAGE, 'utf8')) {
    console.error('docs/support.md is not made of test/matrix/results.json: run node test/matrix/support-table.mjs.');
    process.exit(1);
  }
}
