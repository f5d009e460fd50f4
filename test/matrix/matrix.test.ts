import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: string[];
}

interface Result {
  readonly mlflow: string;
  readonly postgres: string;
  readonly subjects: Record<string, Outcome>;
}

const RESULTS = JSON.parse(readFileSync(join(__dirname, 'results.json'), 'utf8')) as Result[];

/** What a module of JavaScript computes. */
function evaluate(script: string): unknown {
  const code = `import * as matrix from '${join(__dirname, 'matrix.mjs')}'; console.log(JSON.stringify(${script}))`;
  return JSON.parse(execFileSync('node', ['--input-type=module', '-e', code], { encoding: 'utf8' }));
}

test('docs/support.md is made of results.json', () => {
  execFileSync('node', [join(__dirname, 'support-table.mjs'), '--check'], { encoding: 'utf8' });
});

test('every subject of the core ran on every recorded pair', () => {
  const subjects = evaluate('Object.keys(matrix.SUBJECTS)');
  expect(RESULTS.map((each) => Object.keys(each.subjects))).toEqual(RESULTS.map(() => subjects));
});

test('cases are counted by subject, skipped ones with their reason', () => {
  const junit = [
    '<testsuite><testcase classname="test_a" name="test_one[x]" time="1" />',
    '<testcase classname="test_a" name="test_one[y]" time="1"><failure message="no">&lt;testcase </failure></testcase>',
    '<testcase classname="test_a" name="test_two" time="1"><skipped type="s" message="needs &quot;3.18&quot;">x</skipped></testcase>',
  ].join('');
  const subjects = { one: ['test_one'], x: ['test_one[x]'], two: ['test_two'], three: ['test_three'] };
  const outcomes = `matrix.outcomes(${JSON.stringify(subjects)}, ${JSON.stringify(junit)})`;
  expect(evaluate(outcomes)).toEqual({
    one: { passed: 1, failed: 1, skipped: [] },
    x: { passed: 1, failed: 0, skipped: [] },
    two: { passed: 0, failed: 0, skipped: ['needs "3.18"'] },
    three: { passed: 0, failed: 0, skipped: [] },
  });
  expect(evaluate(`Object.values(${outcomes}).map(matrix.passes)`)).toEqual([false, true, false, false]);
});

test('a pair upgrades from the version before its own', () => {
  expect(evaluate("['3.15.1', '3.17.2', '3.18.0', '3.19.0rc1', '3.5.0'].map(matrix.previous)")).toEqual([
    '2.14.3',
    '3.15.1',
    '3.17.2',
    '3.18.0',
    '2.14.3',
  ]);
});
