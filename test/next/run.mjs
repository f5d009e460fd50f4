// npm run test:next: what the library relies on in MLflow and what changed between two versions.
// Without arguments: from the newest version of records/ to the newest of the registry, pre-releases too. npm run test:next 3.17.2 3.18.0: these.
// --idle also starts servers, for their processes and memory. --record writes what was read to records/. --recorded installs nothing.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { quiet, stop } from '../support/tools.mjs';
import { findPython, mlflowEnvironment, releases } from '../support/versions.mjs';
import { compare } from '../matrix/matrix.mjs';

const RECORDS = join(import.meta.dirname, 'records');
// An idle server's memory differs by this much between two runs of one version.
const NOISE = 0.03;
const flags = process.argv.slice(2).filter((each) => each.startsWith('--'));
const given = process.argv.slice(2).filter((each) => !each.startsWith('--'));
const unknown = flags.filter((each) => !['--idle', '--record', '--recorded'].includes(each));
if (unknown.length > 0 || given.length > 2) {
  stop(`usage: npm run test:next [FROM TO] [-- --idle --record --recorded]; got ${process.argv.slice(2).join(' ')}`);
}

const known = readdirSync(RECORDS).map((file) => file.replace(/\.json$/, ''));
const [from = known.sort(compare).at(-1), to = releases(findPython(), 'mlflow')[0]] = given;
const before = recordOf(from);
const after = to === from ? before : recordOf(to);
const lines = changes(before, after);
console.log(`MLflow ${from} -> ${to}: ${lines.length} changes in what the library relies on`);
lines.forEach((line) => console.log(line));

function recordOf(version) {
  const path = join(RECORDS, `${version}.json`);
  const mayUse = flags.includes('--recorded') || !(flags.includes('--record') || flags.includes('--idle'));
  if (mayUse && existsSync(path) && isOfTheList(path)) {
    return JSON.parse(readFileSync(path, 'utf8'));
  }
  if (flags.includes('--recorded')) {
    return stop(
      `No record of MLflow ${version} with all of used.json. Run npm run test:next ${version} ${version} -- --record --idle.`,
    );
  }
  const used = join(import.meta.dirname, 'used.json');
  const script = join(import.meta.dirname, 'read_mlflow.py');
  const python = join(mlflowEnvironment(findPython(), version), 'bin', 'python');
  const env = {
    ...process.env,
    MLFLOW_DISABLE_TELEMETRY: 'true',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONWARNINGS: 'ignore',
  };
  const text = quiet(python, [script, used, ...flags.filter((each) => each === '--idle')], { env });
  if (flags.includes('--record')) {
    writeFileSync(path, text);
  }
  return JSON.parse(text);
}

/** A record from before the scripts used something else of MLflow is read anew. */
function isOfTheList(path) {
  const used = JSON.parse(readFileSync(join(import.meta.dirname, 'used.json'), 'utf8'));
  const recorded = JSON.parse(readFileSync(path, 'utf8'))['what the scripts use'];
  return used.length === Object.keys(recorded).length && used.every((each) => each in recorded);
}

/** Lines such as `route: /x: GET -> GET, without login`. */
function changes(before, after) {
  return Object.keys(before)
    .filter((kind) => kind !== 'version' && after[kind] !== undefined)
    .flatMap((kind) => {
      const [old, now] = [flat(before[kind]), flat(after[kind])];
      return [...new Set([...Object.keys(old), ...Object.keys(now)])]
        .filter((key) => differs(old[key], now[key]))
        .map((key) => `${kind}: ${key}: ${old[key] ?? 'none'} -> ${now[key] ?? 'none'}`);
    });
}

/** { a: { b: 1 } } as { 'a: b': 1 }. */
function flat(record) {
  return Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) =>
      typeof value === 'object'
        ? Object.entries(flat(value)).map(([inner, each]) => [`${key}: ${inner}`, each])
        : [[key, value]],
    ),
  );
}

function differs(a, b) {
  // More than the noise for a memory; a number of processes is small.
  return typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) > NOISE * a : a !== b;
}
