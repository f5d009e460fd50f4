import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runProgram } from '../../lib/cli/program';

const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-cli-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function run(...args: string[]) {
  const written = { out: '', err: '' };
  const code = runProgram(args, {
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
  });
  return { code, ...written };
}

describe('help', () => {
  test.each([['--help'], ['-h'], ['help']])('%s names the commands', (option) => {
    expect(run(option)).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(/^Usage: cdk8s-mlflow <command>[^]*\n {2}from-helm {2}/),
    });
  });

  test('without a command, it is an error', () => {
    expect(run()).toEqual({ code: 2, out: '', err: expect.stringContaining('Usage: cdk8s-mlflow <command>') });
  });

  test('of a command', () => {
    const { code, out, err } = run('from-helm', '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n').filter((line) => line.length > 110)).toEqual([]);
    for (const part of [
      '--chart <chart>',
      'community, official, bitnami',
      '--language',
      '--namespace',
      'Exit codes:',
    ]) {
      expect(out).toContain(part);
    }
  });
});

describe('a wrong call', () => {
  test.each([
    [['fly'], 'cdk8s-mlflow: there is no command fly.'],
    [['from-helm'], '--chart must be one of community, official, bitnami, got nothing.'],
    [['from-helm', '--chart', 'toString'], '--chart must be one of community, official, bitnami, got "toString".'],
    [
      ['from-helm', '--chart', 'bitnami', '--language', 'java'],
      '--language must be one of typescript, python, got "java".',
    ],
    [['from-helm', '--chart', 'bitnami', '--release', 'Not_a_name'], '--release must have names of Kubernetes'],
    [['from-helm', '--chart', 'bitnami', '--namespace', ''], '--namespace must have names of Kubernetes'],
    [['from-helm', '--chart', 'bitnami', '--runbook'], '--runbook needs --take-over <release>/<namespace>.'],
    [['from-helm', '--chart', 'bitnami', '--take-over', 'mlflow'], '--take-over must have names of Kubernetes'],
    [
      ['from-helm', '--chart', 'bitnami', '--take-over', 'a/b/c'],
      '--take-over must be <release>/<namespace>, got "a/b/c".',
    ],
    [
      ['from-helm', '--chart', 'bitnami', '--take-over', 'a/b', '--release', 'c'],
      '--take-over names the release and the namespace: leave out --release and --namespace.',
    ],
    [['from-helm', '--fly'], "Unknown option '--fly'"],
  ])('%j', (args, message) => {
    expect(run(...args)).toEqual({ code: 2, out: '', err: expect.stringContaining(message) });
  });
});

describe('from-helm', () => {
  test('prints the app, and what changed in the error output', () => {
    const { code, out, err } = run('from-helm', '--chart', 'community', file('good.yaml', 'replicaCount: 1'));
    expect(code).toBe(0);
    expect(out).toMatch(/^import \{ App, Chart \} from 'cdk8s';[^]*app\.synth\(\);\n$/);
    expect(err).toMatch(/\nKeys: 1 set, .*\.\n$/);
  });

  test('converts the defaults without a file', () => {
    expect(run('from-helm', '--chart', 'bitnami')).toMatchObject({
      code: 0,
      out: expect.stringContaining("'mlflow-tracking'"),
    });
  });

  test('names everything after the release', () => {
    const { out } = run('from-helm', '--chart', 'community', '--release', 'team-a', '--namespace', 'ml');
    expect(out).toContain("new MlflowServer(this, 'team-a-mlflow', {");
    expect(out).toContain("{ namespace: 'ml' }");
    expect(out).toContain('kubectl create secret generic team-a-mlflow-database --namespace ml');
  });

  test('merges files, options first, in their order', () => {
    const files = [file('1.yaml', 'service: { port: 1000 }'), file('2.yaml', 'service: { port: 2000 }')];
    expect(run('from-helm', '--chart', 'community', '-f', files[0] ?? '', '-f', files[1] ?? '').out).toContain(
      'port: 2000',
    );
    expect(run('from-helm', '--chart', 'community', ...files).out).toContain('port: 2000');
    expect(run('from-helm', '--chart', 'community', files[0] ?? '', '--values', files[1] ?? '').out).toContain(
      'port: 1000',
    );
  });

  test('prints Python', () => {
    expect(run('from-helm', '--chart', 'community', '--language', 'python').out).toMatch(
      /^from cdk8s import App, Chart\n/,
    );
  });

  test('reads values from inside of a file', () => {
    const release = file('release.yaml', 'spec: { values: { service: { port: 1234 } } }');
    expect(run('from-helm', '--chart', 'community', '--at', 'spec.values', release).out).toContain('port: 1234');
  });

  test('unknown keys have an exit code of their own', () => {
    const { code, out, err } = run('from-helm', '--chart', 'community', file('unknown.yaml', 'replicaCuont: 2'));
    expect([code, out.length > 500]).toEqual([3, true]);
    expect(err).toMatch(/Unknown keys: not in the app\n {2}replicaCuont\n/);
  });

  test('the commands of docs/moving-in.md', () => {
    const page = readFileSync(join(__dirname, '../../docs/moving-in.md'), 'utf8');
    const commands = [...page.matchAll(/npx cdk8s-mlflow ([^>|]*) >/g)].map(([, args = '']) => args.split(' '));
    expect(commands.length).toBeGreaterThan(5);
    for (const args of commands) {
      // Each file of a command, and the standard input, is one of values.
      const given = args.map((arg) =>
        /\.yaml$|^-$/.test(arg) ? file('docs.yaml', 'fullnameOverride: tracking') : arg,
      );
      expect([args, run(...given)]).toEqual([
        args,
        { code: 0, out: expect.stringMatching(/\n$/), err: expect.any(String) },
      ]);
    }
  });

  test('a wrong file prints nothing', () => {
    expect(run('from-helm', '--chart', 'community', join(folder, 'missing.yaml'))).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/missing\.yaml: cannot be read: ENOENT/),
    });
    expect(run('from-helm', '--chart', 'community', folder)).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/cannot be read: EISDIR/),
    });
    expect(run('from-helm', '--chart', 'community', file('bad.yaml', 'a: ['))).toMatchObject({ code: 1, out: '' });
  });
});
