// What test:e2e and the judges install: outside of git, made once for each version of it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cdk8s-mlflow');
const UV = 'uv==0.13.9';

/** The folder of what `make` puts there: another one whenever one of the `sources` (paths of files) or `versions` changes. */
export function installed(name, sources, versions, make) {
  const digest = createHash('sha256').update([UV, ...versions].join());
  sources.forEach((source) => digest.update(readFileSync(source)));
  const folder = join(CACHE, `${name}-${digest.digest('hex').slice(0, 8)}`);
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    console.log(`Installing ${name} into ${folder}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    make(folder);
    writeFileSync(complete, '');
  }
  return folder;
}

/** A virtual environment with these packages, as pip names them. */
export function makeVirtualenv(python, folder, packages) {
  quiet(python, ['-m', 'venv', folder]);
  const inside = join(folder, 'bin', 'python');
  quiet(inside, ['-m', 'pip', 'install', '--quiet', UV]);
  quiet(inside, ['-m', 'uv', 'pip', 'install', '--python', inside, '--compile-bytecode', ...packages]);
}

/** `go install` into the folder `bin`, with build `tags`; nothing of what it downloads is kept. */
export function goInstall(go, what, bin, { tags = '', ...options } = {}) {
  const build = `${bin}-build`;
  quiet(go, ['install', what], {
    ...options,
    env: {
      ...process.env,
      GOBIN: bin,
      GOPATH: build,
      GOCACHE: join(build, 'cache'),
      GOTOOLCHAIN: 'local',
      // Pods have another C library than the machine that builds, or none.
      CGO_ENABLED: '0',
      // Go makes its downloads read-only otherwise, also for the removal below.
      GOFLAGS: `-modcacherw -buildvcs=false -tags=${tags}`,
    },
  });
  rmSync(build, { recursive: true, force: true });
}

/** Downloads a Go module for what it carries besides code, into a folder that is gone after `use`. */
export function goDownload(go, module, sum, use) {
  const folder = mkdtempSync(join(tmpdir(), 'module-'));
  const env = { ...process.env, GOPATH: folder, GOTOOLCHAIN: 'local', GOFLAGS: '-modcacherw' };
  const found = JSON.parse(quiet(go, ['mod', 'download', '-json', module], { cwd: folder, env }));
  if (found.Sum !== sum) {
    stop(`${module} has the sum ${found.Sum}, not ${sum}.`);
  }
  use(found.Dir);
  rmSync(folder, { recursive: true, force: true });
}

/** What a command prints; it is shown if the command fails, which ends all. */
export function quiet(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status !== 0) {
    stop([stdout, stderr, error?.message, `${command} ${args.join(' ')} failed.`].filter(Boolean).join('\n'));
  }
  return stdout;
}

export function stop(line) {
  console.error(line);
  process.exit(1);
}
