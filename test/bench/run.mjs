// npm run bench: user CPU of a synthesis with the library against bare cdk8s-plus-28 that makes the same objects.
import { execFileSync } from 'node:child_process';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const GOAL = 1.3;
// All servers in one chart, a chart for each, and a chart and a namespace for each.
const LAYOUTS = { together: [1, 10, 50, 100, 400], apart: [1, 10, 100, 300, 1000], namespaces: [10, 100, 300] };
// In an App, in a SinglePassApp, and without the library.
const WHO = ['ours', 'single', 'bare'];

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function measure(who, layout, count) {
  const args = ['-r', 'tsx/cjs', 'test/bench/one.ts', who, layout, String(count)];
  return JSON.parse(execFileSync('node', args, { encoding: 'utf8' })).milliseconds;
}

function compare(layout, count) {
  const times = Object.fromEntries(WHO.map((who) => [who, []]));
  for (let run = 0; run < RUNS; run += 1) {
    WHO.forEach((who) => times[who].push(measure(who, layout, count)));
  }
  return Object.fromEntries(WHO.map((who) => [who, median(times[who])]));
}

const row = (...columns) => columns.map((text, i) => String(text).padStart(i === 0 ? 10 : 9)).join('');

console.log(
  `user CPU in milliseconds, median of ${RUNS} runs in processes of their own; goal: a ratio of at most ${GOAL}`,
);
console.log('single: in a SinglePassApp\n');
console.log(row('layout', 'servers', 'bare', 'ours', 'ratio', 'single', 'ratio'));
for (const [layout, counts] of Object.entries(LAYOUTS)) {
  for (const count of counts) {
    const { ours, single, bare } = compare(layout, count);
    const ratio = (milliseconds) => (milliseconds / bare).toFixed(2);
    console.log(row(layout, count, bare.toFixed(0), ours.toFixed(0), ratio(ours), single.toFixed(0), ratio(single)));
  }
}

console.log('\nlines of YAML');
execFileSync('node', ['-r', 'tsx/cjs', 'test/bench/lines.ts'], { stdio: 'inherit' });
