import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import ts from 'typescript';
import { parseAllDocuments } from 'yaml';

import { typescript } from '../../lib/cli/code/typescript';
import { convert } from '../../lib/cli/from-helm/convert';
import { CHARTS } from '../../lib/cli/from-helm/from-helm';
import { runbook } from '../../lib/cli/from-helm/runbook';
import { parseValues } from '../../lib/cli/from-helm/values-file';

import { chartOf } from './charts';

const VALUES = join(__dirname, 'values');
const GOLDEN = join(__dirname, 'apps', 'runbook.md');

function takeOver(chart: string, file: string) {
  const text = readFileSync(join(VALUES, chart, `${file}.yaml`), 'utf8');
  const conversion = convert(chartOf(chart), [parseValues(file, text)], 'prod', 'ml', true);
  return { ...conversion, markdown: runbook(chartOf(chart), conversion.release) };
}

const all = Object.keys(CHARTS).flatMap((chart) =>
  readdirSync(join(VALUES, chart)).map((file) => [chart, basename(file, '.yaml')] as const),
);

/** The commands of a runbook, a block each. */
const blocksOf = (markdown: string): string[] =>
  [...markdown.matchAll(/```sh\n([^]*?)\n```/g)].map(([, code = '']) => code);

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
}

/** What the app makes, and all names of Secrets and claims that it refers to. */
function synthesized(chart: string, file: string) {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-take-over-'));
  const app = join(__dirname, `take-over-${chart}-${file}.generated.js`);
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  process.env.CDK8S_OUTDIR = outdir;
  try {
    writeFileSync(app, ts.transpileModule(typescript(takeOver(chart, file).program), { compilerOptions }).outputText);
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require(app);
    const text = readFileSync(join(outdir, 'mlflow.k8s.yaml'), 'utf8');
    const manifests = parseAllDocuments(text).map((each) => each.toJS() as Manifest);
    const named = (pattern: RegExp): string[] => [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))];
    return {
      manifests,
      namesOf: (kind: string) => manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name),
      secrets: named(/secretKeyRef:\n\s+key: .*\n\s+name: (.*)/g),
      claims: named(/claimName: (.*)/g),
    };
  } finally {
    delete process.env.CDK8S_OUTDIR;
    rmSync(app, { force: true });
    rmSync(outdir, { recursive: true });
  }
}

test('a runbook as a whole', () => {
  const { markdown } = takeOver('bitnami', 'subcharts');
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(GOLDEN, markdown);
  }
  expect(markdown).toBe(readFileSync(GOLDEN, 'utf8'));
});

test.each(all)('%s, %s: the commands are of a shell, and name nothing that is undefined', (chart, file) => {
  const { markdown } = takeOver(chart, file);
  const blocks = blocksOf(markdown);
  expect(blocks.length).toBeGreaterThan(10);
  expect(markdown).not.toMatch(/undefined|\[object/);
  expect(markdown).not.toContain('not-a-secret');
  expect(() => execFileSync('bash', ['-n'], { input: blocks.join('\n'), stdio: 'pipe' })).not.toThrow();
});

describe.each([
  ['community', 'bitnami-subchart'],
  ['community', 'sqlite-volume'],
  ['official', 'shared-volume'],
  ['bitnami', 'subcharts'],
  ['bitnami', 'external-postgres'],
])('%s, %s: the app and the runbook fit', (chart, file) => {
  const { release, markdown } = takeOver(chart, file);
  const app = synthesized(chart, file);
  const code = blocksOf(markdown).join('\n');

  test('the Deployment and the Service have the names of the release', () => {
    expect(code).toContain(`SERVER=${release.names.server}\n`.trimEnd());
    expect(app.namesOf('Deployment')).toContain(release.names.server);
    expect(app.namesOf('Service')).toContain(release.names.server);
  });

  test('what the app makes says that it is no longer of Helm', () => {
    const labels = app.manifests.filter(({ kind }) => ['Service', 'ServiceAccount', 'Ingress'].includes(kind));
    expect(labels.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'])).toEqual(
      labels.map(() => 'cdk8s'),
    );
  });

  test('the app uses the claims of the release, whose volumes are kept', () => {
    const kept = (/for CLAIM in (.*); do/.exec(code)?.[1] ?? '').split(' ').filter((each) => each !== '');
    const ofDatabase = app
      .namesOf('StatefulSet')
      .slice(0, 1)
      .map((name) => `data-${name}-0`);
    expect(kept.sort()).toEqual(
      [...app.claims.filter((each) => !app.namesOf('PersistentVolumeClaim').includes(each)), ...ofDatabase].sort(),
    );
  });

  test('each Secret that the app refers to is made, or is not of the chart', () => {
    const made = [...code.matchAll(/create secret generic (\S+)/g)].map(([, name]) => name);
    const ofChart = [release.names.server, `${release.names.server}-env-secret`, release.database?.name];
    expect(app.secrets.filter((name) => !made.includes(name) && ofChart.includes(name))).toEqual([]);
    expect(release.secrets.map(({ name }) => name).filter((name) => !made.includes(name))).toEqual([]);
  });

  test('StatefulSets of the same name are deleted before the app is applied', () => {
    const deleted = (/delete statefulset --namespace "\$NAMESPACE" (.*)/.exec(code)?.[1] ?? '').split(' ');
    const names = app.namesOf('StatefulSet').filter((name) => deleted.includes(name));
    expect(names).toEqual(release.database === undefined ? [] : [release.database.name]);
    expect(code.indexOf('delete statefulset')).toBeLessThan(code.indexOf('kubectl apply --filename dist'));
  });
});

test('copies of Secrets read the keys that the chart has', () => {
  const { markdown } = takeOver('community', 'external-postgres');
  expect(markdown).toContain(
    `--from-literal=password="$(kubectl get secret prod-mlflow-env-secret --namespace "$NAMESPACE" --output jsonpath='{.data.PGPASSWORD}' | base64 --decode)"`,
  );
  expect(markdown).toContain('--from-literal=username=mlflow_user ');
});

/** Runs commands with a kubectl that writes down its arguments, and answers as a cluster would. */
function run(code: string, variables: Record<string, string>): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-runbook-'));
  try {
    const log = join(folder, 'calls');
    writeFileSync(
      join(folder, 'kubectl'),
      `#!/bin/bash\nprintf '%s\\x1f' "$@" >> ${log}; printf '\\n' >> ${log}\ncase "$*" in *"get secret"*) printf 'a value' | base64 ;; *volumeName*) printf 'volume-1' ;; esac\n`,
      { mode: 0o755 },
    );
    execFileSync('bash', ['-eu'], {
      input: code,
      stdio: 'pipe',
      cwd: folder,
      env: { PATH: `${folder}:${process.env.PATH ?? ''}`, ...variables },
    });
    return readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('\x1f').slice(0, -1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the saved release can be made again', () => {
  const list =
    'items:\n- data:\n    release: SDRz\n  metadata:\n    creationTimestamp: "2026"\n    labels:\n      version: "3"\n    name: sh.helm.release.v1.prod.v3\n    resourceVersion: "7"\n    uid: a-b\n  type: helm.sh/release.v1\n';
  const code = blocksOf(takeOver('community', 'defaults').markdown).find((each) => each.includes('release.yaml')) ?? '';
  const sed = /sed '([^']+)'/.exec(code)?.[1] ?? '';
  const saved = execFileSync('sed', [sed], { input: list, encoding: 'utf8' });
  expect(parseAllDocuments(saved)[0]?.toJS()).toEqual({
    items: [
      {
        data: { release: 'SDRz' },
        metadata: { labels: { version: '3' }, name: 'sh.helm.release.v1.prod.v3' },
        type: 'helm.sh/release.v1',
      },
    ],
  });
});

describe('the commands run', () => {
  const variables = { NAMESPACE: 'ml', RELEASE: 'prod', SERVER: 'prod-mlflow' };

  test('Secrets are copied by their values', () => {
    const { markdown } = takeOver('community', 'bitnami-subchart');
    const code = blocksOf(markdown).find((each) => each.includes('create secret')) ?? '';
    const calls = run(code, { ...variables });
    expect(calls.filter(([verb]) => verb === 'create')).toEqual([
      [
        'create',
        'secret',
        'generic',
        'prod-mlflow-postgresql-passwords',
        '--namespace',
        'ml',
        '--from-literal=postgres-password=a value',
        '--from-literal=password=a value',
      ],
      [
        'create',
        'secret',
        'generic',
        'prod-mlflow-s3',
        '--namespace',
        'ml',
        '--from-literal=AWS_ACCESS_KEY_ID=a value',
        '--from-literal=AWS_SECRET_ACCESS_KEY=a value',
      ],
    ]);
  });

  test('a Secret that no one has yet needs its value', () => {
    const { markdown } = takeOver('community', 'basic-auth');
    const code = blocksOf(markdown).find((each) => each.includes('create secret')) ?? '';
    expect(() => run(code, { ...variables })).toThrow(/ADMIN_PASSWORD: the password of the administrator/);
    expect(
      run(code, { ...variables, ADMIN_PASSWORD: 'x', PASSPHRASE: 'y', USERNAME: 'u', PASSWORD: 'p' }).length,
    ).toBeGreaterThan(2);
  });

  test('volumes are kept', () => {
    const { markdown } = takeOver('official', 'shared-volume');
    const code = blocksOf(markdown).find((each) => each.includes('for CLAIM')) ?? '';
    expect(run(code, variables).at(-1)).toEqual([
      'patch',
      'persistentvolume',
      'volume-1',
      '--patch',
      '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}',
    ]);
  });

  test('patches are JSON', () => {
    const { markdown } = takeOver('bitnami', 'subcharts');
    const patches = blocksOf(markdown)
      .filter((each) => each.includes('kubectl patch service'))
      .flatMap((code) => run(code, variables));
    const given = patches.map((args) => args[args.indexOf('--patch') + 1] ?? '');
    expect(given.length).toBeGreaterThan(1);
    expect(given.map((each) => JSON.parse(each))).toEqual(given.map(() => [{ op: 'remove', path: '/spec/selector' }]));
  });
});
