// The built site in Chromium, every page in both themes. SCREENSHOTS=folder writes a picture of each.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { URL } from 'node:url';

import { launch } from 'puppeteer-core';
import { serve } from 'vitepress';

import { SOURCES } from '../pages.mjs';

const SITE = join(import.meta.dirname, '..');
const ROOT = join(SITE, '..');
const DIST = join(SITE, '.vitepress', 'dist');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const BASE = new URL(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).homepage).pathname;
const PAGES = readdirSync(DIST, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.html'))
  .map((file) => file.replace(/(^|\/)index\.html$/, '$1').replace(/\.html$/, ''))
  .sort();
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };

let server;
let browser;
let origin;
/** Ids and links of each page, by its path. */
const found = new Map();

before(async () => {
  server = (await serve({ root: SITE, port: 0 })).server;
  if (!server.listening) {
    await new Promise((resolve) => server.once('listening', resolve));
  }
  origin = `http://localhost:${server.address().port}`;
  browser = await launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
});
after(async () => {
  await browser?.close();
  server?.close();
});

/** Opens a page, gives it to `use`, and fails if the browser complains. */
async function open(path, use) {
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => ['error', 'warn'].includes(message.type()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on(
    'response',
    (response) => response.status() >= 400 && complaints.push(`${response.url()}: ${response.status()}`),
  );
  page.on(
    'request',
    (request) =>
      request.url().startsWith(origin) ||
      request.url().startsWith('data:') ||
      complaints.push(`goes to ${request.url()}`),
  );
  try {
    await page.setViewport(WIDE);
    await theme(page, 'light');
    await page.goto(`${origin}${BASE}${path}`, { waitUntil: 'networkidle0' });
    await use(page);
  } finally {
    await page.close();
  }
  assert.deepEqual(complaints, []);
}

const theme = (page, value) => page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);

/** What axe finds, in lines to read. */
async function violations(page) {
  await page.evaluate(AXE);
  const { violations: all } = await page.evaluate(() => globalThis.axe.run(document));
  return all.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html.slice(0, 160)} ${any[0]?.message.slice(0, 200) ?? ''}`),
  );
}

describe('each page, in both themes', () => {
  for (const path of PAGES.filter((each) => each !== '404')) {
    test(`/${path}`, async () => {
      await open(path, async (page) => {
        found.set(path, {
          ids: await page.$$eval('[id]', (all) => all.map(({ id }) => id)),
          links: await page.$$eval('a[href]', (all) => all.map(({ href }) => href)),
          sidebar: await page.$$eval('.VPSidebar a[href]', (all) => all.map(({ href }) => href)),
        });
        for (const [value, dark] of [
          ['light', false],
          ['dark', true],
        ]) {
          await theme(page, value);
          await page.waitForFunction((is) => document.documentElement.classList.contains('dark') === is, {}, dark);
          if ((await page.$('.diagram')) !== null) {
            await page.waitForSelector('.diagram svg');
          }
          // Colours change in half a second.
          await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
          await screenshot(page, path, value);
          assert.deepEqual(await violations(page), []);
        }
      });
    });
  }

  async function screenshot(page, path, value) {
    if (process.env.SCREENSHOTS) {
      const file = join(process.env.SCREENSHOTS, `${path.replaceAll('/', '-') || 'home'}-${value}.png`);
      mkdirSync(dirname(file), { recursive: true });
      await page.screenshot({ path: file });
    }
  }
});

test('every link leads to a page and to a heading', () => {
  const dead = [...found].flatMap(([path, { links }]) =>
    links
      .filter((link) => link.startsWith(origin))
      .filter((link) => {
        const { pathname, hash } = new URL(link);
        const target = found.get(pathname.slice(BASE.length));
        return (
          !pathname.startsWith(BASE) ||
          target === undefined ||
          (hash !== '' && !target.ids.includes(decodeURIComponent(hash.slice(1))))
        );
      })
      .map((link) => `${path}: ${link}`),
  );
  assert.equal(found.size, PAGES.length - 1);
  assert.ok([...found.values()].flatMap(({ links }) => links).length > 3000);
  assert.deepEqual(dead, []);
});

test('every link to the repository leads to a file', () => {
  const repository = 'https://github.com/cdk8s-mlflow/cdk8s-mlflow/blob/main/';
  const links = [...found.values()].flatMap((each) => each.links).filter((link) => link.startsWith(repository));
  const files = links.map((link) => link.slice(repository.length).split('#')[0]);
  assert.ok(files.length > 10);
  assert.deepEqual(
    files.filter((file) => !existsSync(join(ROOT, file))),
    [],
  );
  assert.deepEqual(
    files.filter((file) => file in SOURCES),
    [],
  );
});

test('the menu at the left has every page', () => {
  const listed = new Set([...found.values()].flatMap(({ sidebar }) => sidebar).map((link) => new URL(link).pathname));
  const missing = PAGES.filter((path) => !['', '404'].includes(path) && !listed.has(`${BASE}${path}`));
  assert.deepEqual(missing, []);
});

test('the search finds a cause by its name', async () => {
  await open('', async (page) => {
    await page.click('.VPNavBarSearch button');
    await page.waitForSelector('.VPLocalSearchBox input');
    await page.type('.VPLocalSearchBox input', 'tls-not-offered');
    await page.waitForSelector('.VPLocalSearchBox .result');
    const [first] = await page.$$eval('.VPLocalSearchBox a.result', (all) => all.map(({ href }) => href));
    assert.equal(first, `${origin}${BASE}errors#tls-not-offered`);
  });
});

test('an example shows TypeScript first, and Python on a click', async () => {
  await open('start', async (page) => {
    const shown = () => page.$eval('.vp-code-group .blocks > div.active', ({ innerText }) => innerText);
    assert.match(await shown(), /import \{ App, Chart \} from 'cdk8s'/);
    await page.evaluate(() => [...document.querySelectorAll('.vp-code-group label')].at(1).click());
    assert.match(await shown(), /from cdk8s import App, Chart/);
    assert.deepEqual(await violations(page), []);
  });
});

test('no page is wider than a phone', async () => {
  const wide = [];
  for (const path of PAGES) {
    const page = await browser.newPage();
    await page.setViewport(PHONE);
    await page.goto(`${origin}${BASE}${path}`, { waitUntil: 'domcontentloaded' });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > PHONE.width) {
      wide.push(`${path}: ${width}`);
    }
    await page.close();
  }
  assert.deepEqual(wide, []);
});
