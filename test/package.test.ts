import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import ts from 'typescript';
import { parse, parseAllDocuments } from 'yaml';

const ROOT = join(__dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const { devDependencies, bundledDependencies, scripts, jsii } = JSON.parse(read('package.json')) as {
  bundledDependencies: string[];
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
const packages = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-package-'));
let tarball: string;
beforeAll(() => {
  tarball = join(packages, pack(packages).filename);
});
afterAll(() => {
  rmSync(packages, { recursive: true });
});

/** Runs something in the folder of an app that has the packed library and these packages. */
function withApp(dependencies: string[], run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-app-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball, ...dependencies];
    execFileSync('npm', install, { cwd: folder, stdio: 'pipe' });
    run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The version that package.json asks for. */
const fixed = (name: string): string => `${name}@${String(devDependencies[name])}`;

test("README's first server, with the packed library in an empty app", () => {
  withApp([fixed('cdk8s'), fixed('cdk8s-plus-28'), fixed('constructs')], (folder) => {
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const { outputText } = ts.transpileModule(read('examples/first-server.ts'), { compilerOptions });
    writeFileSync(join(folder, 'app.js'), outputText);
    execFileSync('node', ['app.js'], { cwd: folder, stdio: 'pipe' });
    const yaml = readFileSync(join(folder, 'dist', 'mlflow.k8s.yaml'), 'utf8');
    expect(yaml).toContain('kind: Deployment');
    expect(yaml).toContain('migrate_database.py: ');
    expect(yaml).toContain('pg_try_advisory_xact_lock');

    // And the program of the package, whose app synthesizes there.
    writeFileSync(join(folder, 'values.yaml'), 'replicaCount: 1');
    const program = join(folder, 'node_modules', '.bin', 'cdk8s-mlflow');
    const run = (...args: string[]) => execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    expect(run('--help')).toContain('from-helm');
    const printed = run('from-helm', '--chart', 'community', '--release', 'printed-mlflow', 'values.yaml');
    writeFileSync(join(folder, 'printed.js'), ts.transpileModule(printed, { compilerOptions }).outputText);
    execFileSync('node', ['printed.js'], { cwd: folder, stdio: 'pipe' });
    expect(readFileSync(join(folder, 'dist', 'mlflow.k8s.yaml'), 'utf8')).toContain('name: printed-mlflow');
  });
}, 180_000);

test('an app of the init command passes its own test, and synthesizes', () => {
  const needed = ['cdk8s', 'cdk8s-plus-28', 'constructs', '@types/node', 'tsx', 'typescript'];
  withApp(needed.map(fixed), (folder) => {
    const run = (command: string, ...args: string[]): string => {
      const cwd = existsSync(join(folder, 'tracking')) ? join(folder, 'tracking') : folder;
      return execFileSync(join(folder, 'node_modules/.bin', command), args, { cwd, encoding: 'utf8', stdio: 'pipe' });
    };
    expect(run('cdk8s-mlflow', 'init', '--name', 'tracking', 'tracking')).toContain('wrote tracking/main.ts\n');
    expect(run('tsc')).toBe('');
    expect(run('tsx', '--test', 'test/mlflow.test.ts')).toMatch(/# pass 1\n# fail 0|pass 1\n.*fail 0/);
    run('tsx', 'main.ts');
    const yaml = readFileSync(join(folder, 'tracking/dist/tracking.k8s.yaml'), 'utf8');
    expect(yaml).toMatch(/kind: Deployment\n(.*\n)*? {2}name: tracking\n {2}namespace: tracking\n/);
  });
}, 180_000);

describe("an app of cdk8s init's own template, with the newest cdk8s-plus", () => {
  const template = 'node_modules/cdk8s-cli/templates/typescript-app';
  const { dependencies, devDependencies: tools } = JSON.parse(read(`${template}/package.json`)) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const plus = Object.keys(dependencies).find((name) => name.startsWith('cdk8s-plus-')) ?? '';
  const { version } = JSON.parse(read(`node_modules/${plus}/package.json`)) as { version: string };
  // Its own version of TypeScript.
  const compiler = join(ROOT, 'node_modules/cdk8s-cli/node_modules/typescript');

  const IMPORTS = `import * as kplus from '${plus}';
import { ExistingSecretPostgres, MlflowServer } from 'cdk8s-mlflow';
import { Size } from 'cdk8s';
`;
  const RESOURCES = `const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', { host: 'db', secretName: 'login' }),
      serviceAccount: new kplus.ServiceAccount(this, 'account', { metadata: { name: 'mlflow' } }),
      resources: {
        cpu: { request: kplus.Cpu.millis(500), limit: kplus.Cpu.units(2) },
        memory: { request: Size.gibibytes(1), limit: Size.gibibytes(2) },
      },
      imagePullPolicy: kplus.ImagePullPolicy.ALWAYS,
      extraEnvVars: { MLFLOW_SERVER_X_FRAME_OPTIONS: kplus.EnvValue.fromValue('DENY') },
    });
    new kplus.Deployment(this, 'client', {
      containers: [{ image: 'client', envVariables: { MLFLOW_TRACKING_URI: kplus.EnvValue.fromValue(server.trackingUri) } }],
    });`;

  test('compiles with the compiler that is tried here', () => {
    expect(plus).not.toBe('cdk8s-plus-28');
    expect((JSON.parse(readFileSync(join(compiler, 'package.json'), 'utf8')) as { version: string }).version).toMatch(
      new RegExp(`^${String(tools.typescript).replace('x', '\\d+').replaceAll('.', '\\.')}$`),
    );
  });

  test('takes its values and objects in all examples, and makes objects of its own beside a server', () => {
    const types = `@types/node@${String(tools['@types/node'])}`;
    withApp([fixed('cdk8s'), `${plus}@${version}`, fixed('constructs'), types], (folder) => {
      copyFileSync(join(ROOT, template, 'tsconfig.json'), join(folder, 'tsconfig.json'));
      const main = read(`${template}/main.ts`).replace('{{ $base }}', 'app');
      expect(main).toContain('// define resources here');
      writeFileSync(join(folder, 'main.ts'), main.replace('// define resources here', RESOURCES).replace(/^/, IMPORTS));
      mkdirSync(join(folder, 'examples'));
      for (const file of readdirSync(join(ROOT, 'examples')).filter((each) =>
        /(?<!customized-deployment)\.ts$/.test(each),
      )) {
        // The one that goes on from objects of cdk8s-plus-28.
        const source = read(`examples/${file}`).replace(/^.*CustomizedDeployment.*\n/gm, '');
        writeFileSync(join(folder, 'examples', file), source.replaceAll('cdk8s-plus-28', plus));
      }
      const run = (...args: string[]) => execFileSync('node', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
      expect(
        spawnSync('node', [join(compiler, 'lib/tsc.js'), '-p', '.'], { cwd: folder, encoding: 'utf8' }).stdout,
      ).toBe('');
      run('main.js');
      const manifests = parseAllDocuments(readFileSync(join(folder, 'dist', 'app.k8s.yaml'), 'utf8'));
      const made = manifests.map((each) => each.toJS() as { kind: string; metadata: { name: string } });
      const names = made.filter(({ kind }) => kind === 'Deployment').map(({ metadata }) => metadata.name);
      expect(names).toEqual(['mlflow', expect.stringMatching(/^app-client-/)]);
      run('examples/main.js');
      const examples = readdirSync(join(folder, 'dist')).filter((each) => each.endsWith('.k8s.yaml'));
      // Beside the app's own file, and without the one that was left out.
      expect(examples.sort().filter((each) => each !== 'app.k8s.yaml')).toEqual(
        readdirSync(join(ROOT, 'test/golden'))
          .filter((each) => each !== 'customized-deployment.yaml')
          .map((each) => each.replace('.yaml', '.k8s.yaml')),
      );
    });
  }, 180_000);
});

describe('what is packed', () => {
  const { files, size } = pack(ROOT, '--dry-run');
  const paths = files.map(({ path }) => path);

  test('nothing but the library, its types, its scripts and three texts', () => {
    const top = ['.jsii', 'CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    // What is bundled stands in package.json.
    const bundled = bundledDependencies.map((name) => `node_modules/${name}/`);
    const own = paths.filter((path) => !bundled.some((folder) => path.startsWith(folder)));
    expect(bundled.filter((folder) => !paths.includes(`${folder}package.json`))).toEqual([]);
    expect(own.filter((path) => !path.startsWith('build/lib/')).sort()).toEqual(top);
    const known =
      /\.(js|d\.ts)$|^build\/lib\/validation\/public-api\.json$|^build\/lib\/scripts\/[\w/]+\.(py|sh|sql|json)$/;
    expect(own.filter((path) => !top.includes(path) && !known.test(path))).toEqual([]);
  });

  test('every module and every script', () => {
    const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' });
    const needed = sources
      .filter((file) => /\.(ts|py|sh|sql|json)$/.test(file))
      .map((file) => `build/lib/${file.replace(/\.ts$/, '.js')}`);
    expect(needed.filter((file) => !paths.includes(file))).toEqual([]);
  });

  test('at most 1.8 MB', () => {
    expect(size).toBeLessThan(1.8e6);
  });

  test('texts with links that work where the repository is not', () => {
    const pages = paths.filter((path) => path.endsWith('.md') && !path.startsWith('node_modules/'));
    const links = pages.flatMap((page) => [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link));
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter((link) => !/^(https:|#)/.test(link))).toEqual([]);
  });
});

interface Job {
  readonly steps: { readonly run?: string; readonly uses?: string; readonly with?: Record<string, string> }[];
  readonly permissions?: Record<string, string>;
  readonly if?: string;
}

describe('the release workflow', () => {
  const { jobs } = parse(read('.github/workflows/release.yml')) as { jobs: Record<string, Job> };
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));

  test('publishes for each language that jsii packages', () => {
    expect(Object.keys(jobs).sort()).toEqual(['js', 'package', ...Object.keys(jsii.targets)].sort());
  });

  test('runs what there is', () => {
    const called = commands.flatMap((command) => [...command.matchAll(/npm (?:run )?((?:test|package)[\w:]*)/g)]);
    expect(called.map(([, name = '']) => name)).toEqual(['test', 'test:languages', 'package']);
    expect(called.map(([, name = '']) => name in scripts)).toEqual([true, true, true]);
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

describe('the workflow of the site', () => {
  const { jobs } = parse(read('.github/workflows/site.yml')) as { jobs: Record<string, Job> };

  test('publishes what it has tested, from main only', () => {
    const steps = jobs.build?.steps ?? [];
    const tested = steps.findIndex(({ run }) => run?.includes('npm run test:site'));
    const uploaded = steps.findIndex(({ uses }) => uses?.startsWith('actions/upload-pages-artifact@'));
    expect(scripts).toHaveProperty('test:site', 'node site/run.mjs test');
    expect(tested).toBeGreaterThan(-1);
    expect(uploaded).toBeGreaterThan(tested);
    expect(steps[uploaded]?.with?.path).toBe('site/.vitepress/dist');
    expect(jobs.publish).toMatchObject({
      needs: 'build',
      if: "github.ref == 'refs/heads/main'",
      permissions: { pages: 'write', 'id-token': 'write' },
    });
  });

  test('puts it where `homepage` says', () => {
    const { homepage, repository } = JSON.parse(read('package.json')) as {
      homepage: string;
      repository: { url: string };
    };
    const [, owner = '', name = ''] = /github\.com\/([^/]+)\/([^/]+)\.git$/.exec(repository.url) ?? [];
    expect(homepage).toBe(`https://${owner}.github.io/${name}/`);
  });
});
