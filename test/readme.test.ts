import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { App, Chart, Testing } from 'cdk8s';
import { ExternalPostgres } from 'cdk8s-mlflow';

import { addExamples } from '../examples/all';

import type { Manifest } from './support/synth';

const ROOT = join(__dirname, '..');
const README = join(ROOT, 'README.md');
const DOCS = join(ROOT, 'docs');
const PAGES = [README, ...readdirSync(DOCS).map((file) => join(DOCS, file))];
const EMBEDDED = /<!-- (examples\/[\w-]+\.ts) -->\n```ts\n([\s\S]*?)```/g;

test.each(PAGES)('%s shows the examples as they are', (page) => {
  const text = readFileSync(page, 'utf8');
  const current = text.replace(EMBEDDED, (_, file: string) => {
    return `<!-- ${file} -->\n\`\`\`ts\n${readFileSync(join(ROOT, file), 'utf8')}\`\`\``;
  });
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(page, current);
  }
  expect(readFileSync(page, 'utf8')).toBe(current);
});

test.each(PAGES)('%s has no TypeScript of its own', (page) => {
  const text = readFileSync(page, 'utf8');
  expect(text.match(/```ts/g) ?? []).toHaveLength([...text.matchAll(EMBEDDED)].length);
});

test('README quotes the error of a password that is not set', () => {
  const chart = new Chart(Testing.app(), 'external');
  const props = { host: 'your-postgres-host', user: 'mlflow_user', password: '' };
  const [, quoted = ''] = /^ {4}(\[external\/postgres\] .*)$/m.exec(readFileSync(README, 'utf8')) ?? [];
  expect(() => new ExternalPostgres(chart, 'postgres', props)).toThrow(new Error(quoted));
});

test('what README removes of any example leaves the data', () => {
  const [, kept = ''] = /-l 'app\.kubernetes\.io\/component notin \((.+)\)'/.exec(readFileSync(README, 'utf8')) ?? [];
  const app = new App();
  addExamples(app);
  const objects = app.charts.flatMap((each): Manifest[] => each.toJson());
  const componentOf = ({ metadata }: Manifest): string | undefined => metadata.labels?.['app.kubernetes.io/component'];
  const isKept = (each: Manifest): boolean => kept.split(', ').includes(componentOf(each) ?? '');
  const kindsOf = (some: Manifest[]): Set<string> => new Set(some.map(({ kind }) => kind));
  expect(kindsOf(objects.filter(isKept))).toEqual(new Set(['PersistentVolumeClaim', 'Cluster']));
  const removed = objects.filter((each) => !isKept(each));
  const holdData = removed.filter(({ kind }) => ['PersistentVolumeClaim', 'Cluster'].includes(kind));
  expect(holdData.map((each) => componentOf(each))).toEqual(['scratch']);
});
