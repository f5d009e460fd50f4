import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import ts from 'typescript';
import { parse } from 'yaml';

const ROOT = join(__dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const { devDependencies, scripts, jsii } = JSON.parse(read('package.json')) as {
  devDependencies: Record<string, string>;
  scripts: Record<string, string>;
  jsii: { targets: Record<string, unknown> };
};

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: { readonly path: string }[];
}

function pack(folder: string, ...options: string[]): Packed {
  const args = ['pack', ROOT, '--json', '--ignore-scripts', ...options];
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })) as [Packed];
  return packed;
}

// Packs what `npm run build` made, as a release does.
test("README's first server, with the packed library in an empty app", () => {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-app-'));
  try {
    const { filename } = pack(folder);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const peers = ['cdk8s', 'cdk8s-plus-28', 'constructs'].map((name) => `${name}@${String(devDependencies[name])}`);
    const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${filename}`, ...peers];
    execFileSync('npm', install, { cwd: folder, stdio: 'pipe' });
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(read('examples/first-server.ts'), { compilerOptions });
    writeFileSync(join(folder, 'app.js'), outputText);
    execFileSync('node', ['app.js'], { cwd: folder, stdio: 'pipe' });
    const yaml = readFileSync(join(folder, 'dist', 'mlflow.k8s.yaml'), 'utf8');
    expect(yaml).toContain('kind: Deployment');
    expect(yaml).toContain('migrate_database.py: ');
    expect(yaml).toContain('pg_try_advisory_xact_lock');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 180_000);

describe('what is packed', () => {
  const { files, size } = pack(ROOT, '--dry-run');
  const paths = files.map(({ path }) => path);

  test('nothing but the library, its types, its scripts and three texts', () => {
    const top = ['.jsii', 'CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    expect(paths.filter((path) => !path.startsWith('build/lib/')).sort()).toEqual(top);
    const known =
      /\.(js|d\.ts)$|^build\/lib\/validation\/public-api\.json$|^build\/lib\/scripts\/[\w/]+\.(py|sh|sql|json)$/;
    expect(paths.filter((path) => !top.includes(path) && !known.test(path))).toEqual([]);
  });

  test('every module and every script', () => {
    const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' });
    const needed = sources
      .filter((file) => /\.(ts|py|sh|sql|json)$/.test(file))
      .map((file) => `build/lib/${file.replace(/\.ts$/, '.js')}`);
    expect(needed.filter((file) => !paths.includes(file))).toEqual([]);
  });

  test('at most 1.2 MB', () => {
    expect(size).toBeLessThan(1.2e6);
  });

  test('texts with links that work where the repository is not', () => {
    const pages = paths.filter((path) => path.endsWith('.md'));
    const links = pages.flatMap((page) => [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link));
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((link) => !/^(https:|#)/.test(link))).toEqual([]);
  });
});

describe('the release workflow', () => {
  interface Job {
    readonly steps: { readonly run?: string; readonly with?: Record<string, string> }[];
    readonly permissions?: Record<string, string>;
  }
  const { jobs } = parse(read('.github/workflows/release.yml')) as { jobs: Record<string, Job> };
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));

  test('publishes for each language that jsii packages', () => {
    expect(Object.keys(jobs).sort()).toEqual(['js', 'package', ...Object.keys(jsii.targets)].sort());
  });

  test('runs what there is', () => {
    const called = commands.flatMap((command) => [...command.matchAll(/npm (?:run )?(test|package)\b/g)]);
    expect(called.map(([, name = '']) => name in scripts)).toEqual([true, true]);
    const programs = commands.flatMap((command) => [...command.matchAll(/node ([\w/.-]+)/g)]);
    expect(programs.map(([, file = '']) => existsSync(join(ROOT, file)))).toEqual([true]);
  });

  test('may prove who built the package', () => {
    expect(jobs.js?.permissions).toEqual({ 'id-token': 'write' });
    expect(JSON.parse(read('package.json'))).toMatchObject({ publishConfig: { access: 'public', provenance: true } });
  });

  test('stops at a tag of another version', () => {
    const check = (...args: string[]) =>
      execFileSync('node', ['tools/check-release.mjs', ...args], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
    expect(() => check('v99.0.0')).toThrow(/the tag is 99\.0\.0, package\.json is \d+\.\d+\.\d+: run npm version/);
    expect(() => check()).toThrow(/the tag is missing/);
  });
});
