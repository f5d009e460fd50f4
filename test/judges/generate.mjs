// node test/judges/generate.mjs --count 5000 --seed 1, after npm run build: apps over all public props, with a mistake here and there.
// What the library accepts, the API server has to accept; what it does not, it has to say in its own words.
// --only NUMBER shows one app, --out FILE writes every finding as JSON, with the mistakes that both have taken.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { ApiValidation } from './api-validation.mjs';
import { CHART, isOwn } from './generated/assembly.mjs';
import { Findings } from './generated/findings.mjs';
import { givenTo, placesOf } from './generated/nodes.mjs';
import { mistakesOf, print } from './generated/print.mjs';
import { appOf } from './generated/recipes.mjs';
import { shrink } from './generated/shrink.mjs';
import { synthesize } from './generated/synthesize.mjs';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    out: { type: 'string' },
  },
});
const oracle = new ApiValidation();
const numbers =
  values.only === undefined ? Array.from({ length: Number(values.count) }, (_, index) => index) : [Number(values.only)];
const counts = { apps: 0, accepted: 0, 'refused by the library': 0, 'refused elsewhere': 0, raw: 0, refused: 0 };
const findings = new Findings();
const unjudged = new Set();
const taken = new Set();

for (const index of numbers) {
  const app = appOf(values.seed, index);
  const outcome = await judge(app);
  counts.apps += 1;
  counts[outcome.is] += 1;
  outcome.unjudged.forEach((kind) => unjudged.add(kind));
  if (values.only !== undefined) {
    show(app, outcome);
  }
  const cause = causeOf(app);
  for (const { key, text } of outcome.findings) {
    if (!findings.counts(key, cause)) {
      const smaller = await shrink(appOf(values.seed, index), async (candidate) => hasFinding(candidate, key));
      findings.add(key, causeOf(smaller), {
        text: textOf(await judge(smaller), key) ?? text,
        app: print(smaller),
        number: index,
      });
    }
  }
  if (outcome.is === 'accepted') {
    mistakesOf(app).forEach((mistake) => taken.add(mistake));
  }
}
oracle.end();
console.log(findings.table());
console.table([counts]);
console.log(`Not judged for want of their CRDs: ${[...unjudged].sort().join(', ') || 'none'}`);
if (values.out !== undefined) {
  writeFileSync(
    values.out,
    JSON.stringify({ seed: values.seed, counts, findings: findings.list(), taken: [...taken].sort() }, undefined, 2),
  );
}
process.exitCode = findings.list().length === 0 ? 0 : 1;

/** What becomes of an app: its kind of end, and each finding with a key that others like it share. */
async function judge(app) {
  const { yaml, error, during } = synthesize(app);
  if (yaml === undefined) {
    const message = String(error?.message ?? error);
    // What the user's own call of another library throws is not ours to word.
    const is = isOurs(message) ? 'refused by the library' : isForeign(during) ? 'refused elsewhere' : 'raw';
    const found = is === 'raw' ? [{ key: `raw: ${normal(message)}`, text: `${during}: ${message}` }] : [];
    return { is, findings: found, unjudged: [] };
  }
  const { refusals, differences, unjudged: without } = await oracle.judge('app', yaml);
  const found = refusals.map(({ object, field, message }) => ({
    key: `${fieldOf(field, object, message)}: ${normal(message)}`,
    text: `${object} ${field}: ${message}`,
  }));
  found.push(
    ...differences.map(({ object, with: way, field, message }) => ({
      key: `differs with ${way}: ${fieldOf(field.slice(1), object, message)}`,
      text: `${object} with ${way} ${field}: ${message}`,
    })),
  );
  const kinds = without.map((each) => each.split('/')[0]);
  return { is: found.length > 0 ? 'refused' : 'accepted', findings: found, unjudged: kinds };
}

function causeOf(app) {
  return { mistaken: placesOf(app), given: givenTo(app) };
}

async function hasFinding(app, key) {
  return (await judge(app)).findings.some((each) => each.key === key);
}

function textOf(outcome, key) {
  return outcome.findings.find((each) => each.key === key)?.text;
}

/** A line for each problem, by the path of the construct; those of rules come under a heading. */
function isOurs(message) {
  return /^(Validation failed with the following errors:\s+)?\[[^\]]+\] /.test(message);
}

function isForeign(call) {
  return call !== 'synthesis' && call !== CHART && !isOwn(call);
}

/** The field without what differs from app to app: pods and metadata of all kinds are one. */
function fieldOf(field, object, message) {
  const kind = object.includes(' > ') ? object.replace(/^(\w+).*> (\w+).*$/, '$1 > $2 ') : object.replace(/\/.*/, ' ');
  const typed = /into Go struct field \w+\.(\S+) of type/.exec(message)?.[1];
  const general = (typed ?? field)
    .replace(/\[[^\]]*\]/g, '[]')
    .replace(/^(spec\.jobTemplate\.)?spec\.template\./, 'pod.')
    .replace(/^spec\.((initC|c)ontainers)/, 'pod.spec.$1')
    .replace(/^(pod\.spec\.)initContainers/, '$1containers')
    .replace(/^(metadata\.(labels|annotations)|data)\..*$/, '$1.*');
  return /^(pod|metadata)\./.test(general) ? general : `${kind}${general}`;
}

/** A message without the values in it. */
function normal(message) {
  return message
    .split('\n')[0]
    .replace(/^json: cannot unmarshal (\w+)\b.* into Go struct field \S+ of type (\S+)$/, 'has the type $1, not $2')
    .replace(
      /(Invalid value|Unsupported value|Duplicate value|Required value|Forbidden|Not found): ("(\\.|[^"\\])*"|[^\s:]+): /g,
      '$1: ',
    )
    .replace(/(Duplicate value|Not found): .*/, '$1')
    .replace(/'[^']*'|"[^"]*"|`[^`]*`/g, '…')
    .replace(/\d+/g, 'N')
    .slice(0, 200);
}

function show(app, outcome) {
  console.log(print(app));
  console.log(mistakesOf(app).join('\n'));
  outcome.findings.forEach(({ text }) => console.log(text));
}
