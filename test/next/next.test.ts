import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The lines of `npm run test:next FROM TO` by the records alone. */
function changes(from: string, to: string): string[] {
  const output = execFileSync('node', [join(__dirname, 'run.mjs'), from, to, '--recorded'], { encoding: 'utf8' });
  return output.split('\n');
}

const TO_3_18 = changes('3.17.2', '3.18.0');

test.each([
  [
    'the server heeds what only clients read before, and offers no signed URLs by itself',
    'variable: MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: read by: store -> server, store, utils',
  ],
  ['the same of downloads', 'variable: MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD: read by: store -> server, store, utils'],
  [
    'clients no longer repeat creates',
    'failures after which the client repeats: create-run: 408 429 500 502 503 504 reset -> 408 429',
  ],
  ['a table that holds locations', 'column with a location: skill_versions.source: none -> there'],
  ['the schema', 'head of the schema: MLflow: dc11669786a5 -> f4a9b2c7d1e6'],
])('3.17.2 -> 3.18.0: %s', (_, line) => {
  expect(TO_3_18).toContain(line);
});

test('3.17.2 -> 3.18.0: jobs need another process', () => {
  expect(TO_3_18).toContainEqual(expect.stringMatching(/^idle server: with jobs: processes: 13 -> 14$/));
});

test('3.15.1 -> 3.17.2: what became public', () => {
  expect(changes('3.15.1', '3.17.2')).toContain('route: /api/3.0/mlflow/server-info: GET -> GET, without login');
});

test('no change between a version and itself', () => {
  expect(changes('3.17.2', '3.17.2')).toEqual(['MLflow 3.17.2 -> 3.17.2: 0 changes in what the library relies on', '']);
});

test.each(['3.15.1', '3.17.2', '3.18.0'])('%s: all that the scripts use was found, but for a plugin', (version) => {
  const record = JSON.parse(readFileSync(join(__dirname, 'records', `${version}.json`), 'utf8')) as {
    'what the scripts use': Record<string, string>;
  };
  const used = Object.entries(record['what the scripts use']);
  expect(used.length).toBeGreaterThan(30);
  expect(used.filter(([, found]) => found.startsWith('missing')).map(([name]) => name)).toEqual([
    // Since MLflow 3.18.
    ...(version === '3.18.0' ? [] : ['mlflow.server.fastapi_app:add_fastapi_artifact_transfer_middleware']),
    'mlflow_oidc_auth.db.utils:migrate',
  ]);
});

test.each(['3.15.1', '3.17.2', '3.18.0'])(
  '%s: no call takes more connections at once than threads are bounded for',
  (version) => {
    const record = JSON.parse(readFileSync(join(__dirname, 'records', `${version}.json`), 'utf8')) as {
      'connections of a call': Record<string, string>;
    };
    const calls = Object.entries(record['connections of a call']);
    expect(calls.length).toBeGreaterThan(10);
    expect(calls.filter(([, text]) => !/ [12] at once$/.test(text))).toEqual([]);
    // A pool of one connection for each thread would let them wait for each other.
    expect(record['connections of a call']['create-run']).toMatch(/ 2 at once$/);
  },
);
