// npm run site: builds the site in site/.vitepress/dist. npm run test:site: builds it and tests it in Chromium.
// Both install what they need into site/node_modules; the test takes Debian's package `chromium`, or the program in CHROMIUM.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { quiet, stop } from '../test/support/tools.mjs';

const HERE = import.meta.dirname;
const [task, ...extra] = process.argv.slice(2);
const steps = { build: ['build'], test: ['build', 'test'] }[task] ?? stop('usage: node site/run.mjs build|test');

install();
if (task === 'test') {
  findChromium();
}
for (const step of steps) {
  const args = ['run', '--silent', step, ...(step === task && extra.length > 0 ? ['--', ...extra] : [])];
  const { status } = spawnSync('npm', args, { cwd: HERE, stdio: 'inherit' });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}

function install() {
  const lock = readFileSync(join(HERE, 'package-lock.json'), 'utf8');
  const installed = join(HERE, 'node_modules', 'installed-lock.json');
  if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
    quiet('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE });
    writeFileSync(installed, lock);
  }
}

function findChromium() {
  const path = () => process.env.CHROMIUM ?? spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim();
  if (path() === '' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    quiet('apt-get', ['update'], { env });
    quiet('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium'], { env });
  }
  process.env.CHROMIUM = path() || stop('test:site needs Chromium: install it, or set CHROMIUM to the path of one.');
}
