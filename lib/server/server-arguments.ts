import { Duration } from 'cdk8s';

import type { Problems } from '../validation/problems';

import type { ServerSpec } from './server-spec';
import { METRICS_ARGUMENT } from './settings/metrics';
import { CERTIFICATE_FILE, KEY_FILE, PROXIED_PORT, SERVER_PORT } from './settings/port';

/** By default, uvicorn kills a worker, with all its requests, that does not respond for 5 s, as can happen on a busy node. */
const HUNG_WORKER = Duration.seconds(30);

const RESERVED_ARGUMENTS: Record<string, string> = {
  '--backend-store-uri': 'backend',
  '--registry-store-uri': 'backend',
  '--workers': 'workers',
  '--host': '',
  '--port': 'service.port',
  '--static-prefix': 'staticPrefix',
  '--serve-artifacts': 'artifactRoot',
  '--no-serve-artifacts': 'artifactRoot',
  '--artifacts-destination': 'artifactRoot',
  '--default-artifact-root': 'artifactRoot',
  '--allowed-hosts': 'allowedHosts',
  '--cors-allowed-origins': 'corsAllowedOrigins',
  '--app-name': 'auth',
  '--uvicorn-opts': 'logLevel',
  '--expose-prometheus': 'metrics',
};

/** Refuses arguments that the library sets. */
export function checkExtraArguments(problems: Problems, args: string[]): void {
  for (const arg of args) {
    const owner = RESERVED_ARGUMENTS[arg.split('=')[0] ?? ''];
    if (owner !== undefined) {
      problems.reserved(`extraArgs ${arg}`, owner);
    }
  }
}

/** The arguments of the container that serves. */
export function serverArguments(spec: ServerSpec): string[] {
  const { authParts: auth } = spec;
  const uvicorn = [
    `--log-level=${spec.logLevel}`,
    `--timeout-worker-healthcheck=${String(HUNG_WORKER.toSeconds())}`,
    '--loop=bounded_loop:new_loop',
    // A proxy presents the certificate itself.
    ...(spec.isHttps && auth.proxy === undefined
      ? [`--ssl-certfile=${CERTIFICATE_FILE}`, `--ssl-keyfile=${KEY_FILE}`]
      : []),
  ];
  return [
    'server',
    ...(auth.proxy === undefined
      ? ['--host=0.0.0.0', `--port=${String(SERVER_PORT)}`]
      : ['--host=127.0.0.1', `--port=${String(PROXIED_PORT)}`]),
    `--workers=${String(spec.workers)}`,
    '--serve-artifacts',
    `--artifacts-destination=${spec.artifacts.destination}`,
    ...(spec.staticPrefix === '' ? [] : [`--static-prefix=${spec.staticPrefix}`]),
    `--uvicorn-opts=${uvicorn.join(' ')}`,
    ...auth.arguments,
    ...spec.extraArgs,
    ...(spec.metrics ? [METRICS_ARGUMENT] : []),
  ];
}
