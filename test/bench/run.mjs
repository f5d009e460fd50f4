// npm run bench: user CPU of a synthesis with the library against bare cdk8s-plus-28 that makes the same objects.
import { execFileSync } from 'node:child_process';

const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const GOAL = 1.3;
// All servers in one chart, and a chart for each.
const LAYOUTS = { together: [1, 10, 50, 100, 400], apart: [1, 10, 100, 300, 1000] };

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function measure(who, layout, count) {
  const args = ['-r', 'tsx/cjs', 'test/bench/one.ts', who, layout, String(count)];
  return JSON.parse(execFileSync('node', args, { encoding: 'utf8' })).milliseconds;
}

function compare(layout, count) {
  const ours = [];
  const bare = [];
  for (let run = 0; run < RUNS; run += 1) {
    ours.push(measure('ours', layout, count));
    bare.push(measure('bare', layout, count));
  }
  return { ours: median(ours), bare: median(bare) };
}

const row = (...columns) => columns.map((text, i) => String(text).padStart(i === 0 ? 8 : 10)).join('');

console.log(
  `user CPU in milliseconds, median of ${RUNS} runs in processes of their own; goal: a ratio of at most ${GOAL}\n`,
);
console.log(row('charts', 'servers', 'ours', 'bare', 'ratio', 'a server'));
for (const [layout, counts] of Object.entries(LAYOUTS)) {
  for (const count of counts) {
    const { ours, bare } = compare(layout, count);
    const charts = layout === 'apart' ? count : 1;
    console.log(
      row(charts, count, ours.toFixed(0), bare.toFixed(0), (ours / bare).toFixed(2), (ours / count).toFixed(2)),
    );
  }
}

console.log('\nlines of YAML');
execFileSync('node', ['-r', 'tsx/cjs', 'test/bench/lines.ts'], { stdio: 'inherit' });
