import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Modules of the programs that stand for images, by name of the program. */
const MODULES = {
  'oauth2-proxy': 'github.com/oauth2-proxy/oauth2-proxy/v7',
  'cloud-sql-proxy': 'github.com/GoogleCloudPlatform/cloud-sql-proxy/v2',
};

/** The path of a program of this version, built once below `cache`. Undefined if that fails: its tests are skipped then. */
export function goProgram(name, version, cache, goOf) {
  const folder = join(cache, `${name}-${version}`);
  const program = join(folder, name);
  if (existsSync(program)) {
    return program;
  }
  console.log(`Building ${name} ${version} into ${folder}`);
  const build = join(cache, `${name}-build-${process.pid}`);
  const { status, stderr } = spawnSync(goOf(), ['install', `${MODULES[name]}@v${version}`], {
    encoding: 'utf8',
    env: {
      ...process.env,
      GOBIN: join(build, 'bin'),
      GOPATH: build,
      GOCACHE: join(build, 'cache'),
      GOTOOLCHAIN: 'local',
      // Pods have another C library than the machine that builds, or none.
      CGO_ENABLED: '0',
      // Go makes its downloads read-only otherwise, also for the removal below.
      GOFLAGS: '-modcacherw -buildvcs=false',
    },
  });
  if (status === 0) {
    mkdirSync(folder, { recursive: true });
    renameSync(join(build, 'bin', name), program);
  } else {
    console.error(stderr, `${name} could not be built: its tests are skipped.`);
  }
  rmSync(build, { recursive: true, force: true });
  return status === 0 ? program : undefined;
}
