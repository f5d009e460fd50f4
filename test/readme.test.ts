import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';

import { App, Chart, Testing } from 'cdk8s';
import { Diagram, ExternalPostgres } from 'cdk8s-mlflow';
import ts from 'typescript';
import { parse, parseAllDocuments } from 'yaml';

import { addExamples } from '../examples/all';

import type { Manifest } from './support/synth';

const ROOT = join(__dirname, '..');
const README = join(ROOT, 'README.md');
const DOCS = join(ROOT, 'docs');
const NOT_OURS = ['.git', 'node_modules', 'build', 'dist', 'pages', '.pytest_cache', '.ruff_cache'];
const REPOSITORY = 'https://github.com/cdk8s-mlflow/cdk8s-mlflow/blob/main/';
const pagesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file));
const below = (folder: string): string[] => [
  ...pagesIn(folder),
  ...readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_OURS.includes(entry.name))
    .flatMap(({ name }) => below(join(folder, name))),
];
const PAGES = below(ROOT);
// The API, which `npm run docs` writes and `npm run docs:check` compares.
const WRITTEN = PAGES.filter((page) => !page.startsWith(join(DOCS, 'api')));
const EMBEDDED = /<!-- (examples\/[\w/-]+\.(ts|java|go)) -->\n```\2\n([\s\S]*?)```/g;
const read = (file: string): string => readFileSync(file, 'utf8');
const shown = (page: string): string => relative(ROOT, page);

/** The code blocks of a language, of any page. */
function blocksOf(page: string, language: string): string[] {
  const blocks = [...read(page).matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)];
  return blocks
    .filter(([, , each]) => each === language)
    .map(([, indent = '', , code = '']) => code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

/** What is between two marks in a page, which the test writes and compares. */
function expectCurrent(page: string, current: string): void {
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(page, current);
  }
  expect(read(page)).toBe(current);
}

test.each(WRITTEN.map(shown))('%s shows the examples as they are', (name) => {
  const page = join(ROOT, name);
  const current = read(page).replace(EMBEDDED, (_, file: string, language: string) => {
    return `<!-- ${file} -->\n\`\`\`${language}\n${read(join(ROOT, file))}\`\`\``;
  });
  expectCurrent(page, current);
});

test.each(WRITTEN.map(shown))('%s has no TypeScript, Java or Go of its own', (name) => {
  const text = read(join(ROOT, name));
  expect(text.match(/```(ts|typescript|js|java|go)\b/g) ?? []).toHaveLength([...text.matchAll(EMBEDDED)].length);
});

test('an example of a page has the same in Python, which the site shows beside it', () => {
  const files = WRITTEN.flatMap((page) => [...read(page).matchAll(EMBEDDED)].map(([, file = '']) => file));
  const python = files
    .filter((file) => file.endsWith('.ts') && file !== 'examples/first-server.ts') // README has both.
    .map((file) => file.replace('examples/', 'examples/python/').replace('.ts', '.py').replaceAll('-', '_'));
  const made = readdirSync(join(ROOT, 'examples/python'), { encoding: 'utf8' }).filter((file) => file.endsWith('.py'));
  expect(made.map((file) => `examples/python/${file}`).sort()).toEqual(python.sort());
});

test('no example is shown twice', () => {
  const files = WRITTEN.flatMap((page) => [...read(page).matchAll(EMBEDDED)].map(([, file]) => file));
  expect(files.filter((file, index) => files.indexOf(file) !== index)).toEqual([]);
});

// Python is read and run by test/python, and statements of SQL are run by test/pods. The rest is read by what reads it.
const LANGUAGES: Record<string, (code: string) => void> = {
  // Examples are compiled with the rest of the repository; those of doc comments are fragments.
  ts: (code) => {
    const { diagnostics = [] } = ts.transpileModule(code, { reportDiagnostics: true });
    expect(diagnostics.map(({ messageText }) => messageText)).toEqual([]);
  },
  python: () => undefined,
  // Compiled and run by test/languages.
  java: () => undefined,
  go: () => undefined,
  sql: () => undefined,
  ini: () => undefined,
  mermaid: () => undefined,
  // What pods say: test/pods/test_examples.py.
  console: () => undefined,
  sh: (code) => execFileSync('bash', ['-n'], { input: code, stdio: 'pipe' }),
  json: (code) => JSON.parse(code) as unknown,
  yaml: (code) => {
    parseAllDocuments(code).forEach((document) => parse(String(document)) as unknown);
  },
};

test.each(PAGES.map(shown))('%s has code that its language takes', (name) => {
  const text = read(join(ROOT, name));
  const languages = [...text.matchAll(/^ *```(\w+)$/gm)].map(([, language = '']) => language);
  expect(Object.keys(LANGUAGES)).toEqual(expect.arrayContaining(languages));
  for (const language of new Set(languages)) {
    for (const block of blocksOf(join(ROOT, name), language)) {
      LANGUAGES[language]?.(block);
    }
  }
});

/** The anchors of a page, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const outsideOfCode = read(page).replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  const headings = [...outsideOfCode.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    return words.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
  });
  const repeated = headings.map((each, index) => {
    const before = headings.slice(0, index).filter((other) => other === each).length;
    return before === 0 ? each : `${each}-${before}`;
  });
  return [...repeated, ...[...outsideOfCode.matchAll(/<a (?:id|name)="([^"]+)">/g)].map(([, id = '']) => id)];
}

/** The links of a page that lead nowhere: to no file, or to no heading. */
function deadLinksOf(page: string): string[] {
  const text = read(page)
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
    .replaceAll(/`[^`\n]*`(?!\])/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => link.startsWith(REPOSITORY) || !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.replace(REPOSITORY, '').split('#');
      const base = link.startsWith(REPOSITORY) ? ROOT : dirname(page);
      const file = path === '' ? page : resolve(base, path);
      return (
        !existsSync(file) || (anchor !== undefined && !(statSync(file).isFile() && anchorsOf(file).includes(anchor)))
      );
    });
}

test.each(PAGES.map(shown))('%s has no dead link', (name) => {
  expect(deadLinksOf(join(ROOT, name))).toEqual([]);
});

test('a dead link is found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'links-'));
  const page = join(folder, 'page.md');
  const links = ['[a](#a-heading)', '[b](#none)', '[c](none.md)', '[d](page.md#none)', `[e](${REPOSITORY}none.md)`];
  writeFileSync(page, ['# A heading', ...links, '[`f`](page.md)', '```', '[g](none)', '```'].join('\n'));
  expect(deadLinksOf(page)).toEqual(['#none', 'none.md', 'page.md#none', `${REPOSITORY}none.md`]);
  rmSync(folder, { recursive: true });
});

test('README is short', () => {
  expect(read(README).trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});

test('README lists every page', () => {
  const pages = pagesIn(DOCS).map((page) => `docs/${relative(DOCS, page)}`);
  const links = [...read(README).matchAll(/\]\((?:https:[^)]*\/main\/)?(docs\/[\w-]+\.md)/g)].map(([, link]) => link);
  expect(pages.filter((page) => !links.includes(page))).toEqual([]);
});

test('README has the diagram of its first server', () => {
  const synth = jest.spyOn(App.prototype, 'synth').mockReturnValue();
  jest.requireActual('../examples/first-server');
  const charts = synth.mock.contexts.flatMap((app) => app.charts);
  synth.mockRestore();
  const diagram = charts.map((each) => Diagram.mermaid(each)).join('');
  expectCurrent(README, read(README).replace(/```mermaid\n[\s\S]*?```/, `\`\`\`mermaid\n${diagram}\`\`\``));
});

test('docs quote the error of a password that is not set', () => {
  const chart = new Chart(Testing.app(), 'external');
  const props = { host: 'your-postgres-host', user: 'mlflow_user', password: '' };
  const [, quoted = ''] = /^ {4}(\[external\/postgres\] .*)$/m.exec(read(join(DOCS, 'databases.md'))) ?? [];
  expect(() => new ExternalPostgres(chart, 'postgres', props)).toThrow(new Error(quoted));
});

test('what docs remove of any example leaves the data', () => {
  const text = read(join(DOCS, 'operations.md'));
  const [, kept = ''] = /-l 'app\.kubernetes\.io\/component notin \((.+)\)'/.exec(text) ?? [];
  const app = new App();
  addExamples(app);
  const objects = app.charts.flatMap((each): Manifest[] => each.toJson());
  const componentOf = ({ metadata }: Manifest): string | undefined => metadata.labels?.['app.kubernetes.io/component'];
  const isKept = (each: Manifest): boolean => kept.split(', ').includes(componentOf(each) ?? '');
  const kindsOf = (some: Manifest[]): Set<string> => new Set(some.map(({ kind }) => kind));
  expect(kindsOf(objects.filter(isKept))).toEqual(
    new Set(['PersistentVolumeClaim', 'Cluster', 'ObjectStore', 'ScheduledBackup']),
  );
  const removed = objects.filter((each) => !isKept(each));
  const holdData = removed.filter(({ kind }) => ['PersistentVolumeClaim', 'Cluster'].includes(kind));
  expect(holdData.map((each) => componentOf(each))).toEqual(['scratch']);
});
