import { Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { SCRIPT_FOLDER } from '../../scripts/scripts';

import { PROXIED_PORT, SERVER_PORT } from './port';
import type { ReadinessCheck } from './readiness-check';

/** The script that asks a server which listens on the loopback address. */
export const PROBE_SCRIPT = 'probe_server.py';

/** What of a server decides on its probes. */
export interface ProbedServer {
  readonly staticPrefix: string;
  readonly readinessCheck: ReadinessCheck;
  readonly isHttps: boolean;
  /** Whether a proxy answers on the port of the pod. */
  readonly isProxied: boolean;
}

/** The probes of the server. `/health` is answered outside the worker threads and never asks the database. */
export function probesOf(server: ProbedServer): Pick<kplus.ContainerProps, 'startup' | 'liveness' | 'readiness'> {
  const { staticPrefix, readinessCheck } = server;
  const probeOf = server.isProxied ? loopbackProbe : httpProbe(server.isHttps);
  const probe = (path: string, periodSeconds: number, failureThreshold: number): kplus.Probe =>
    probeOf(path, {
      periodSeconds: Duration.seconds(periodSeconds),
      timeoutSeconds: Duration.seconds(5),
      failureThreshold,
    });
  const health = `${staticPrefix}/health`;
  return {
    // Each second, so that a server is found as soon as it is up; five minutes, for a node that is busy.
    startup: probe(health, 1, 300),
    liveness: probe(health, 10, 6),
    readiness: probe(readinessCheck._path(staticPrefix), 5, 2),
  };
}

type ProbeOf = (path: string, options: kplus.ProbeOptions) => kplus.Probe;

/** The kubelet asks the pod. It takes any certificate. */
function httpProbe(isHttps: boolean): ProbeOf {
  const scheme = isHttps ? kplus.ConnectionScheme.HTTPS : kplus.ConnectionScheme.HTTP;
  return (path, options) => kplus.Probe.fromHttpGet(path, { ...options, port: SERVER_PORT, scheme });
}

/** A script asks inside the pod, where the kubelet would meet a proxy. */
function loopbackProbe(path: string, options: kplus.ProbeOptions): kplus.Probe {
  return kplus.Probe.fromCommand(
    ['python', '-I', '-S', `${SCRIPT_FOLDER}/${PROBE_SCRIPT}`, String(PROXIED_PORT), path],
    // Python itself takes a while to start on a busy node.
    { ...options, timeoutSeconds: Duration.seconds(10) },
  );
}
