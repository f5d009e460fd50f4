import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parse } from 'yaml';

import { runProgram } from '../../lib/cli/program';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-init-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function init(...args: string[]): { code: number; out: string; err: string } {
  const written = { out: '', err: '' };
  const code = runProgram(['init', ...args], {
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
  });
  return { code, ...written };
}

const filesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

test.each([
  ['typescript', ['package.json', 'main.ts', 'mlflow.ts', 'test/mlflow.test.ts']],
  ['python', ['requirements.txt', 'main.py', 'mlflow_chart.py', 'test_mlflow.py']],
])('an app in %s: what was written, and what is next', (language, files) => {
  const { code, out, err } = init('--language', language, folder);
  expect([code, err]).toEqual([0, '']);
  const written = filesIn(folder);
  expect(written).toEqual(expect.arrayContaining(files.map((file) => join(folder, file))));
  expect([...out.matchAll(/^wrote (.+)$/gm)].map(([, file]) => file).sort()).toEqual(written.sort());
  expect(out).toMatch(language === 'python' ? / {2}python main\.py\n$/ : / {2}npm run synth\n$/);
  const workflow = parse(read('.github/workflows/synth.yml')) as { jobs: { synth: { steps: { run?: string }[] } } };
  expect(workflow.jobs.synth.steps.flatMap(({ run = [] }) => run)).toHaveLength(3);
  expect(parse(read('cdk8s.yaml'))).toEqual({ language, app: expect.stringContaining('main.') });
});

test('the app in TypeScript asks for the versions that work together', () => {
  init(folder);
  const library = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as {
    version: string;
    peerDependencies: object;
  };
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, object>;
  expect(dependencies).toEqual({ 'cdk8s-mlflow': library.version, ...library.peerDependencies });
  expect(Object.values(devDependencies ?? {})).toEqual(Array(3).fill(expect.stringMatching(/^\d/)));
});

test('the app in Python is Python', () => {
  init('--language', 'python', '--name', 'team-a', folder);
  const files = filesIn(folder).filter((file) => file.endsWith('.py'));
  expect(files).toHaveLength(3);
  const parses = 'import ast, sys; [ast.parse(open(each).read()) for each in sys.argv[1:]]';
  expect(execFileSync('python3', ['-c', parses, ...files], { encoding: 'utf8' })).toBe('');
  expect(read('main.py')).toContain('Mlflow(app, "team-a")');
});

test('no file is replaced, and then none is written', () => {
  mkdirSync(join(folder, 'test'));
  writeFileSync(join(folder, 'main.ts'), 'mine');
  writeFileSync(join(folder, 'test/mlflow.test.ts'), 'mine');
  const { code, out, err } = init(folder);
  expect([code, out]).toEqual([1, '']);
  expect(err).toBe(`${folder} has main.ts, test/mlflow.test.ts already. Nothing was written: take another folder.\n`);
  expect(filesIn(folder)).toHaveLength(2);
  expect(read('main.ts')).toBe('mine');
});

test('what was written before an error is taken away', () => {
  // `test` would be a folder.
  writeFileSync(join(folder, 'test'), 'mine');
  const { code, err } = init(folder);
  expect(code).toBe(1);
  expect(err).toMatch(/Nothing was written\.\n$/);
  expect(filesIn(folder)).toEqual([join(folder, 'test')]);
});

test.each([
  [['--language', 'java'], '--language must be one of typescript, python, got "java".'],
  [['--name', 'My App'], '--name must be a name of Kubernetes that starts with a letter'],
  [['a', 'b'], 'There is one folder, got a, b.'],
  [['--fly'], "Unknown option '--fly'"],
])('%j is a wrong call', (args, message) => {
  expect(init(...args)).toEqual({ code: 2, out: '', err: expect.stringContaining(message) });
});

test('--help', () => {
  const { code, out } = init('--help');
  expect(code).toBe(0);
  expect(out).toContain('--language <language>');
  expect(out).toContain('Exit codes:');
  expect(out.split('\n').filter((line) => line.length > 110)).toEqual([]);
});
