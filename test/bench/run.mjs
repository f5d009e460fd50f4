// npm run bench: user CPU of a synthesis with the library against bare cdk8s-plus-28 that makes the same objects.
import { execFileSync } from 'node:child_process';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const GOALS = { 1: 1.3, 100: 1.5 };

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function measure(who, count) {
  const args = ['-r', 'tsx/cjs', 'test/bench/one.ts', who, String(count)];
  return JSON.parse(execFileSync('node', args, { encoding: 'utf8' })).milliseconds;
}

function compare(count) {
  const ours = [];
  const bare = [];
  for (let run = 0; run < RUNS; run += 1) {
    ours.push(measure('ours', count));
    bare.push(measure('bare', count));
  }
  return { ours: median(ours), bare: median(bare) };
}

console.log(`user CPU in milliseconds, median of ${RUNS} runs in processes of their own\n`);
console.log('servers      ours      bare     ratio   ours per server');
const perServer = {};
for (const count of [1, 10, 50, 100, 400]) {
  const { ours, bare } = compare(count);
  perServer[count] = ours / count;
  const ratio = ours / bare;
  const goal = GOALS[count] ? ` (goal: at most ${GOALS[count]})` : '';
  const columns = [String(count), ours.toFixed(0), bare.toFixed(0), ratio.toFixed(2), perServer[count].toFixed(2)];
  console.log(columns.map((text, i) => text.padStart(i === 0 ? 7 : 10)).join('') + goal);
}
console.log(`\nper server at 400 against 50: ${(perServer[400] / perServer[50]).toFixed(2)} (goal: at most 1.5)`);
