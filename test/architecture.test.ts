import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = join(__dirname, '..');
const LIB = join(ROOT, 'lib');

/** The folders of lib/, lowest first: a folder imports from those before it, or from itself. */
const LAYERS = [
  'validation',
  'kube',
  'identity',
  'scripts',
  'postgres',
  'artifacts',
  'startup',
  'rules',
  'server',
  'operations',
  'monitoring',
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
  return [...read(file).matchAll(/from '(\.[^']+)'/g)].map(([, path]) => resolve(dirname(file), path ?? '') + '.ts');
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
  expect(backends.sort()).toEqual(['bitnami', 'cloud-native', 'cloud-sql', 'external', 'pg-bouncer', 'rds']);
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

test('the Kubernetes words know nothing of MLflow or PostgreSQL', () => {
  const code = filesBelow(join(LIB, 'kube'), '.ts').map((file) => [
    shown(file),
    read(file).replace(/^\s*(\/\/|\/?\*).*$/gm, ''),
  ]);
  expect(code.filter(([, text]) => /mlflow|postgres/i.test(text ?? '')).map(([file]) => file)).toEqual([]);
});

test('files stay short', () => {
  const limits: [string[], number][] = [
    [sources, 300],
    [filesBelow(join(ROOT, 'examples'), '.ts'), 60],
    [filesBelow(__dirname, '.ts'), 400],
  ];
  const long = limits.flatMap(([files, limit]) => files.filter((file) => read(file).split('\n').length > limit));
  expect(long.map(shown)).toEqual([]);
});
