import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { runProgram } from '../../lib/cli/program';

/** How the stand-in for kubectl answers a call: the first rule whose words are all in its arguments and input. */
interface Rule {
  readonly words: readonly string[];
  readonly out?: string;
  readonly err?: string;
  readonly code?: number;
}

const KUBECTL = `#!/usr/bin/env node
const { appendFileSync, readFileSync } = require('node:fs');
const args = process.argv.slice(2);
const input = args.includes('-') ? readFileSync(0, 'utf8') : '';
appendFileSync(process.env.KUBECTL_CALLS, JSON.stringify({ args, input: input && JSON.parse(input) }) + '\\n');
const said = args.join(' ') + ' ' + input;
const rules = JSON.parse(readFileSync(process.env.KUBECTL_RULES, 'utf8'));
const { out = '', err = '', code = 0 } = rules.find(({ words }) => words.every((each) => said.includes(each))) ?? {};
process.stdout.write(out);
process.stderr.write(err);
process.exitCode = code;
`;

const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-doctor-'));
const file = (name: string): string => join(folder, name);
const before = process.env.PATH;
beforeAll(() => {
  writeFileSync(file('kubectl'), KUBECTL);
  chmodSync(file('kubectl'), 0o755);
  process.env.PATH = `${folder}${delimiter}${before ?? ''}`;
  process.env.KUBECTL_RULES = file('rules.json');
  process.env.KUBECTL_CALLS = file('calls');
});
afterAll(() => {
  process.env.PATH = before;
  delete process.env.KUBECTL_RULES;
  delete process.env.KUBECTL_CALLS;
  rmSync(folder, { recursive: true });
});

const version = (minor: string): Rule => ({
  words: ['version'],
  out: JSON.stringify({ serverVersion: { gitVersion: `v1.${minor}.4`, minor } }),
});
const storage = (...classes: object[]): Rule => ({
  words: ['storageclasses'],
  out: JSON.stringify({ items: classes }),
});
const DEFAULT_CLASS = {
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
};
const FINE = [version('34'), storage(DEFAULT_CLASS)];

interface Call {
  readonly args: readonly string[];
  readonly input: { kind?: string; metadata?: Record<string, unknown>; spec?: Record<string, unknown> };
}

function doctor(rules: readonly Rule[], ...args: string[]): { code: number; out: string; err: string; calls: Call[] } {
  writeFileSync(file('rules.json'), JSON.stringify([...rules, ...FINE]));
  writeFileSync(file('calls'), '');
  const written = { out: '', err: '' };
  const code = runProgram(['doctor', ...args], {
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
  });
  const calls = readFileSync(file('calls'), 'utf8').split('\n').filter(Boolean);
  return { code, ...written, calls: calls.map((line) => JSON.parse(line) as Call) };
}

const golden = (name: string): string => join(__dirname, '../golden', `${name}.yaml`);

test('a cluster that has all that an app needs', () => {
  const { code, out, err } = doctor([], '--namespace', 'ml', golden('bitnami'));
  expect(err).toBe('');
  expect(out).toMatch(
    /^cluster: Kubernetes v1\.34\.4\nnamespaces: 1 of 1 are there\nobjects: (\d+) of \1 would be accepted\npods: 2 of 2 would be accepted\nvolumes: 2 claims\nneeded of the cluster: 0 of 0 are there\nproblems: 0, warnings: 0\n$/,
  );
  expect(code).toBe(0);
});

test('objects and pods are only tried, where they would be', () => {
  const { calls } = doctor([], '--namespace', 'ml', '--context', 'prod', golden('bitnami'));
  expect(calls.map(({ args }) => args.slice(0, 2))).toEqual(calls.map(() => ['--context', 'prod']));
  const writing = calls.filter(({ args }) => ['apply', 'create'].some((verb) => args.includes(verb)));
  expect(writing.length).toBeGreaterThan(8);
  expect(writing.filter(({ args }) => !args.includes('--dry-run=server'))).toEqual([]);
  const pods = calls.filter(({ args }) => args.includes('create')).map(({ input }) => input);
  expect(
    pods.map(({ kind, metadata, spec }) => [
      kind,
      metadata?.generateName,
      metadata?.namespace,
      spec?.serviceAccountName,
    ]),
  ).toEqual([
    ['Pod', 'postgres-', 'ml', 'default'],
    ['Pod', 'mlflow-', 'ml', 'default'],
  ]);
  // The claim that its controller adds.
  expect(pods[0]?.spec?.volumes).toContainEqual({
    name: 'data',
    persistentVolumeClaim: { claimName: 'data-postgres-0' },
  });
  expect(calls.filter(({ args }) => args.includes('apply')).every(({ args }) => args.includes('ml'))).toBe(true);
});

test('what pods need and nobody makes', () => {
  const missing = {
    words: ['get', 'Secret', 'postgres-database-secret'],
    code: 1,
    err: 'Error from server (NotFound)',
  };
  const { code, out } = doctor([missing], golden('existing-secret'));
  expect(code).toBe(1);
  expect(out).toContain(
    'needed of the cluster: 0 of 1 are there\n  problem: Secret default/postgres-database-secret: Pods need it, and it is not there, or you may not read it.\nproblems: 1, warnings: 0\n',
  );
});

test.each(['external-secrets', 'cloud-native', 'gateway'])('what operators make of %s is not missing', (name) => {
  const { calls } = doctor([{ words: ['get', 'Secret'], code: 1 }], golden(name));
  const asked = calls.filter(({ args }) => args.includes('get') && args.includes('Secret')).map(({ args }) => args[3]);
  expect(asked).toEqual(name === 'gateway' ? ['postgres-database-secret', 'mlflow-tls'] : []);
});

test('a kind that the cluster lacks names its operator', () => {
  const rule = {
    words: ['apply', '"kind":"ServiceMonitor"'],
    code: 1,
    err: 'error: resource mapping not found for name: "mlflow" namespace: "" from "STDIN": no matches for kind "ServiceMonitor" in version "monitoring.coreos.com/v1"\nensure CRDs are installed first\n',
  };
  const { code, out } = doctor([rule], golden('monitoring'));
  expect(code).toBe(1);
  expect(out).toContain(
    'problem: ServiceMonitor mlflow/mlflow: The cluster has no ServiceMonitor of monitoring.coreos.com/v1. Install the Prometheus Operator, or leave the object out.\n',
  );
});

test('what the API server says of an object and of a pod', () => {
  const refused = {
    words: ['create', '"generateName":"mlflow-"'],
    code: 1,
    err: 'Error from server (Forbidden): error when creating "STDIN": pods "mlflow-x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi\n',
  };
  const warned = {
    words: ['apply', '"kind":"Deployment"'],
    err: 'Warning: would violate PodSecurity "restricted:latest": …\nWarning: metadata.name: too long for a label\n',
  };
  const { code, out } = doctor([refused, warned], golden('existing-secret'));
  expect(code).toBe(1);
  expect(out).toMatch(
    /pods: 0 of 1 would be accepted\n {2}problem: pods of Deployment default\/mlflow: .*limit is 2Gi\n/,
  );
  expect(out).toContain('  warning: Deployment default/mlflow: metadata.name: too long for a label\n');
  expect(out).not.toContain('would violate');
  expect(out).toMatch(/problems: 1, warnings: 1\n$/);
});

test('a namespace that is not there, and one that the manifests make', () => {
  const absent = { words: ['get', 'namespace'], code: 1 };
  const { code, out, calls } = doctor([absent], golden('client'));
  expect(code).toBe(1);
  expect(out).toContain('namespaces: 0 of 1 are there\n  problem: mlflow: There is no such namespace');
  expect(out).toContain('objects: 0 of 0');
  expect(calls.filter(({ args }) => args.includes('apply'))).toEqual([]);

  const made = doctor([absent], golden('team-text'));
  expect(made.out).toContain('  warning: mlflow-text: The manifests make this namespace');
  expect(made.code).toBe(0);
  expect(made.calls.filter(({ args }) => args.includes('apply')).map(({ input }) => input.kind)).toEqual(['Namespace']);
});

test.each([
  [
    'no default class',
    [storage()],
    'The cluster has no default storage class: name one of its own as `storageClassName` (it has none).',
  ],
  ['classes without a default', [storage({ metadata: { name: 'fast' } })], 'as `storageClassName` (fast).'],
])('%s', (_, rules, text) => {
  const { code, out } = doctor(rules, golden('bitnami'));
  expect(code).toBe(1);
  expect(out).toContain(text);
  expect(out.match(/storageClassName/g)).toHaveLength(2);
});

test('an old cluster', () => {
  expect(doctor([version('27')], golden('existing-secret')).out).toContain(
    'Kubernetes must be 1.28 or later, got v1.27.4.',
  );
  const { out } = doctor([version('28+')], golden('cloud-sql'));
  expect(out).toContain('Sidecars need Kubernetes 1.29, got v1.28+.4: Deployment default/mlflow');
  expect(doctor([version('28')], golden('existing-secret')).code).toBe(0);
});

test('a cluster that does not answer', () => {
  const { code, out, calls } = doctor(
    [{ words: ['version'], code: 1, err: 'The connection to the server was refused\n' }],
    golden('bitnami'),
  );
  expect(code).toBe(1);
  expect(out).toBe(
    'cluster: no answer\n  problem: cluster: The connection to the server was refused\nproblems: 1, warnings: 0\n',
  );
  expect(calls).toHaveLength(1);
});

test('no kubectl', () => {
  process.env.PATH = file('nowhere');
  const { code, out } = doctor([], golden('bitnami'));
  process.env.PATH = `${folder}${delimiter}${before ?? ''}`;
  expect(code).toBe(1);
  expect(out).toContain('kubectl cannot be run: spawnSync kubectl ENOENT');
});

test('input that cannot be read', () => {
  writeFileSync(file('list.yaml'), '- a\n');
  writeFileSync(file('broken.yaml'), 'a: [\n');
  const cwd = process.cwd();
  process.chdir(folder);
  try {
    expect(doctor([])).toMatchObject({
      code: 1,
      out: '',
      err: 'There is no folder dist here: run the app first, or name the files.\n',
    });
  } finally {
    process.chdir(cwd);
  }
  expect(doctor([], file('none.yaml'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('none.yaml: cannot be read'),
  });
  expect(doctor([], file('broken.yaml'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('broken.yaml: is no YAML'),
  });
  expect(doctor([], file('list.yaml'))).toMatchObject({
    code: 1,
    err: expect.stringContaining('is no object of Kubernetes'),
  });
  expect(doctor([], '--fly')).toMatchObject({ code: 2, err: expect.stringContaining("Unknown option '--fly'") });
  expect(doctor([], '--help')).toMatchObject({ code: 0, out: expect.stringContaining('Exit codes:') });
});
