import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ERRORS_PAGE } from '../../lib/validation/app-language';
import { chart, server } from '../support/synth';

import { errorsPage, errorsWithoutChapter } from './errors-page';
import { scriptCauses, unusedProgress } from './script-causes';
import { synthErrors } from './synth-errors';

const ROOT = join(__dirname, '..', '..');
const PAGE = join(ROOT, 'docs', 'errors.md');

test('the page has every error and every cause', () => {
  const page = errorsPage();
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(PAGE, page);
  }
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
});

test('every error is in a chapter', () => {
  expect(errorsWithoutChapter()).toEqual([]);
});

test('errors of all forms are found', () => {
  const texts = synthErrors().map(({ text }) => text);
  expect(texts.length).toBeGreaterThan(180);
  expect(texts).toEqual(
    expect.arrayContaining([
      '`replicas` must be left out with `autoscaling`',
      '`server` must count its requests, and "…" does not.',
      '`extraArgs …` must not be set: the library sets it itself.',
    ]),
  );
});

test('causes of all forms are found', () => {
  const found = scriptCauses().map(({ name, folder }) => `${folder}/${name}`);
  expect(found.length).toBeGreaterThan(70);
  expect(found).toEqual(
    expect.arrayContaining([
      'shared/tls-not-offered',
      'rds/no-credentials',
      'startup/deadline',
      'backup/not-empty',
      'pg_bouncer/cannot-write',
      'shared/terminated',
    ]),
  );
  expect(unusedProgress()).toEqual([]);
});

test('a runbook links to causes that the page has', () => {
  const links = [
    ...server(chart())
      .runbook()
      .matchAll(/cdk8s-mlflow\/errors#([\w-]+)\)/g),
  ].map(([, anchor]) => anchor);
  const headings = [...readFileSync(PAGE, 'utf8').matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((anchor) => !headings.includes(anchor))).toEqual([]);
});

test('all that links to the page does so where the site has it', () => {
  const { homepage } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { homepage: string };
  const scripts = ['shared/init_container.py', 'backup/postgres_client.sh'];
  const links = scripts.map((file) => {
    const text = readFileSync(join(ROOT, 'lib/scripts', file), 'utf8');
    return /^errors ?= ?"?(https:[^"\n]+)/im.exec(text)?.[1];
  });
  expect([ERRORS_PAGE, ...links]).toEqual(Array(3).fill(`${homepage}errors`));
});
