// node --test test/judges/cloud-native.test.mjs: our lists of settings are those of the operator's own source.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { FIXED_SETTINGS, POOLER_SETTINGS } from '../../build/lib/postgres/cloud-native/operator-settings.js';
import { goDownload, installed, makeVirtualenv } from '../support/tools.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const GO = join(HERE, '..', 'support', 'requirements-go.txt');
const crds = parse(readFileSync(join(HERE, 'api-validation', 'crds.yaml'), 'utf8'));
const { module, sum } = crds.find((each) => each.module.startsWith('github.com/cloudnative-pg/cloudnative-pg@'));
const read = source();

test('settings of PostgreSQL that the operator refuses', () => {
  const [, map] = /FixedConfigurationParameters = map\[string\]string\{(.*?)\n\t\}/s.exec(read.postgres);
  const names = [...map.matchAll(/"([^"]+)":\s+(?:fixed|blocked)ConfigurationParameter/g)].map(([, name]) => name);
  assert.ok(names.length > 50);
  assert.deepEqual([...FIXED_SETTINGS].sort(), names.sort());
});

test('settings of PgBouncer that the operator accepts', () => {
  const [, list] = /AllowedPgbouncerGenericConfigurationParameters = stringset.From\(\[\]string\{(.*?)\}\)/s.exec(
    read.pooler,
  );
  const names = [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  assert.ok(names.length > 50);
  assert.deepEqual([...POOLER_SETTINGS].sort(), names.sort());
});

/** Two files of the module of the operator whose CRDs the judges take, too. */
function source() {
  const files = {};
  const folder = installed('go', [GO], ['judges'], (made) => makeVirtualenv('python3', made, ['-r', GO]));
  goDownload(join(folder, 'bin', 'go'), module, sum, (path) => {
    files.postgres = readFileSync(join(path, 'pkg', 'postgres', 'configuration.go'), 'utf8');
    files.pooler = readFileSync(join(path, 'internal', 'webhook', 'v1', 'pooler_webhook.go'), 'utf8');
  });
  return files;
}
