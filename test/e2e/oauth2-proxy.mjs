import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The path of an oauth2-proxy of this version, built once below `cache`. Undefined if that fails: its tests are skipped then. */
export function oauth2Proxy(version, cache, goOf) {
  const folder = join(cache, `oauth2-proxy-${version}`);
  const program = join(folder, 'oauth2-proxy');
  if (existsSync(program)) {
    return program;
  }
  console.log(`Building oauth2-proxy ${version} into ${folder}`);
  const build = join(cache, `oauth2-proxy-build-${process.pid}`);
  const { status, stderr } = spawnSync(goOf(), ['install', `github.com/oauth2-proxy/oauth2-proxy/v7@v${version}`], {
    encoding: 'utf8',
    env: {
      ...process.env,
      GOBIN: join(build, 'bin'),
      GOPATH: build,
      GOCACHE: join(build, 'cache'),
      GOTOOLCHAIN: 'local',
      // Go makes its downloads read-only otherwise, also for the removal below.
      GOFLAGS: '-modcacherw -buildvcs=false',
    },
  });
  if (status === 0) {
    mkdirSync(folder, { recursive: true });
    renameSync(join(build, 'bin', 'oauth2-proxy'), program);
  } else {
    console.error(stderr, 'oauth2-proxy could not be built: its tests are skipped.');
  }
  rmSync(build, { recursive: true, force: true });
  return status === 0 ? program : undefined;
}
