import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Chart, Testing } from 'cdk8s';
import { ExternalPostgres } from 'cdk8s-mlflow';

const ROOT = join(__dirname, '..');
const README = join(ROOT, 'README.md');
const LOGINS = join(ROOT, 'docs', 'logins.md');
const EMBEDDED = /<!-- (examples\/[\w-]+\.ts) -->\n```ts\n([\s\S]*?)```/g;

test.each([README, LOGINS])('%s shows the examples as they are', (page) => {
  const text = readFileSync(page, 'utf8');
  const current = text.replace(EMBEDDED, (_, file: string) => {
    return `<!-- ${file} -->\n\`\`\`ts\n${readFileSync(join(ROOT, file), 'utf8')}\`\`\``;
  });
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(page, current);
  }
  expect(readFileSync(page, 'utf8')).toBe(current);
});

test.each([README, LOGINS])('%s has no TypeScript of its own', (page) => {
  const text = readFileSync(page, 'utf8');
  expect(text.match(/```ts/g)).toHaveLength([...text.matchAll(EMBEDDED)].length);
});

test('README quotes the error of a password that is not set', () => {
  const chart = new Chart(Testing.app(), 'external');
  const props = { host: 'your-postgres-host', user: 'mlflow_user', password: '' };
  const [, quoted = ''] = /^ {4}(\[external\/postgres\] .*)$/m.exec(readFileSync(README, 'utf8')) ?? [];
  expect(() => new ExternalPostgres(chart, 'postgres', props)).toThrow(new Error(quoted));
});
