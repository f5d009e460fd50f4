import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

const ROOT = join(__dirname, '..');
const LIB = join(ROOT, 'lib');

/** The folders of lib/, lowest first: a folder imports from those before it, or from itself. */
const LAYERS = [
  'validation',
  'kube',
  'identity',
  'scripts',
  'cluster',
  'postgres',
  'artifacts',
  'startup',
  'rules',
  'diagram',
  'server',
  'objects',
  'operations',
  'monitoring',
  'cli',
];

function filesBelow(folder: string, extension: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => join(folder, file));
}

const sources = filesBelow(LIB, '.ts');
const read = (file: string): string => readFileSync(file, 'utf8');
const shown = (file: string): string => relative(ROOT, file);

function importsOf(file: string): string[] {
  const paths = [...read(file).matchAll(/from '(\.[^']+)'/g)].map(([, path = '']) => resolve(dirname(file), path));
  // Texts of new apps have imports, too, of files of theirs.
  return paths.map((path) => `${path}.ts`).filter((path) => existsSync(path));
}

const layerOf = (file: string): number => LAYERS.indexOf(relative(LIB, file).split('/')[0] ?? '');

test('every folder has its place', () => {
  const folders = readdirSync(LIB, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...LAYERS].sort());
});

test('imports point one way', () => {
  const upward = sources
    .filter((file) => file !== join(LIB, 'index.ts'))
    .flatMap((file) => importsOf(file).map((target) => [file, target] as const))
    .filter(([file, target]) => layerOf(target) > layerOf(file));
  expect(upward.map(([file, target]) => `${shown(file)} -> ${shown(target)}`)).toEqual([]);
});

test('no backend imports another', () => {
  const backends = readdirSync(join(LIB, 'postgres')).filter((folder) => !['connection', 'capacity'].includes(folder));
  expect(backends).toEqual(expect.arrayContaining(['bitnami', 'pg-bouncer']));
  const backendOf = (file: string): string | undefined =>
    backends.find((folder) => file.startsWith(join(LIB, 'postgres', folder, '/')));
  const foreign = sources.flatMap((file) =>
    importsOf(file)
      .filter((target) => backendOf(file) !== undefined && (backendOf(target) ?? backendOf(file)) !== backendOf(file))
      .map((target) => `${shown(file)} -> ${shown(target)}`),
  );
  expect(foreign).toEqual([]);
});

test('every backend has its class and its props in files of the same names', () => {
  const files = (folder: string): string[] => readdirSync(join(LIB, 'postgres', folder));
  expect(files('external')).toEqual(['existing-secret-postgres.ts', 'external-postgres.ts']);
  expect(files('pg-bouncer')).toEqual(expect.arrayContaining(['pg-bouncer.ts', 'pg-bouncer-props.ts']));
  for (const folder of ['bitnami', 'cloud-native', 'cloud-sql', 'rds']) {
    expect(files(folder)).toEqual(expect.arrayContaining([`${folder}-postgres.ts`, `${folder}-postgres-props.ts`]));
  }
});

test('no import cycles', () => {
  const done = new Set<string>();
  const visit = (file: string, trail: string[]): void => {
    if (trail.includes(file)) {
      throw new Error(`cycle: ${[...trail.slice(trail.indexOf(file)), file].map(shown).join(' -> ')}`);
    }
    if (!done.has(file)) {
      importsOf(file).forEach((target) => {
        visit(target, [...trail, file]);
      });
      done.add(file);
    }
  };
  sources.forEach((file) => {
    visit(file, []);
  });
  expect(done.size).toBe(sources.length);
});

test('operations and monitoring know a server by its interface alone', () => {
  const inside = sources
    .filter((file) => ['operations', 'monitoring'].includes(relative(LIB, file).split('/')[0] ?? ''))
    .flatMap((file) => importsOf(file).map((target) => [file, target] as const))
    .filter(
      ([, target]) => target.startsWith(join(LIB, 'server', '/')) && !target.endsWith('/mlflow-server-reference.ts'),
    );
  expect(inside.map(([file, target]) => `${shown(file)} -> ${shown(target)}`)).toEqual([]);
});

test('the Kubernetes words know nothing of MLflow or PostgreSQL', () => {
  const code = filesBelow(join(LIB, 'kube'), '.ts').map((file) => [
    shown(file),
    read(file).replace(/^\s*(\/\/|\/?\*).*$/gm, ''),
  ]);
  expect(code.filter(([, text]) => /mlflow|postgres/i.test(text ?? '')).map(([file]) => file)).toEqual([]);
});

/** Where the words of a provider belong: its own files, the lists of all exports and images, the presets of ingress controllers, and the program, which prints them. */
const OF_PROVIDERS =
  /^(identity|postgres\/(rds|cloud-sql)|scripts\/rds|cli)\/|^artifacts\/(s3|gcs|azure)|^(index|images)\.ts$|^server\/access\/ingress-controller\.ts$/;
const PROVIDER_WORDS = /(?<![a-z])(rds|aws|amazon|gcp|google|gcloud|cloud[-_ ]?sql|azure|entra)(?![a-z])/i;

test('no word of a provider outside its own files', () => {
  const files = ['.ts', '.py', '.sh', '.sql'].flatMap((extension) => filesBelow(LIB, extension));
  const found = files
    .filter((file) => !OF_PROVIDERS.test(relative(LIB, file)))
    .map((file) => [shown(file), PROVIDER_WORDS.exec(read(file).replace(/([a-z\d])([A-Z])/g, '$1 $2'))?.[0]])
    .filter(([, word]) => word !== undefined);
  expect(found).toEqual([]);
});

test('no script imports a program', () => {
  const scripts = filesBelow(join(LIB, 'scripts'), '.py');
  const programs = scripts.filter((file) => read(file).includes('if __name__ == "__main__"'));
  const names = programs.map((file) => basename(file, '.py'));
  const imports = new RegExp(`^\\s*(?:from|import) (${names.join('|')})\\b`, 'm');
  expect(programs.length).toBeGreaterThan(10);
  expect(scripts.filter((file) => imports.test(read(file))).map(shown)).toEqual([]);
});

test('files stay short', () => {
  const limits: [string[], number][] = [
    [sources, 300],
    // all.ts is the list of the others, platform.ts an app of several charts, and production.ts all together.
    [filesBelow(join(ROOT, 'examples'), '.ts').filter((file) => !/\b(all|platform|production)\.ts$/.test(file)), 60],
    [filesBelow(__dirname, '.ts'), 400],
  ];
  const long = limits.flatMap(([files, limit]) => files.filter((file) => read(file).split('\n').length > limit));
  expect(long.map(shown)).toEqual([]);
});
