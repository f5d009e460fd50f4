import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App, Chart } from 'cdk8s';

import { withTemplates } from '../../../lib/kube/values/templates';

const folder = mkdtempSync(join(tmpdir(), 'chart-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const rendered = (outdir: string): string =>
  withTemplates(new Chart(new App({ outdir }), 'c'), '{{ $value }} of {{pod}}');

test('in plain YAML, a template stays as it is', () => {
  expect(rendered(folder)).toBe('{{ $value }} of {{pod}}');
  expect(rendered(join(folder, 'templates'))).toBe('{{ $value }} of {{pod}}');
});

test('in a Helm chart, Helm prints the braces', () => {
  writeFileSync(join(folder, 'Chart.yaml'), '');
  expect(rendered(join(folder, 'templates'))).toBe('{{`{{`}} $value }} of {{`{{`}}pod}}');
  expect(rendered(join(folder, 'templates', '.'))).toBe('{{`{{`}} $value }} of {{`{{`}}pod}}');
  expect(rendered(folder)).toBe('{{ $value }} of {{pod}}');
});
