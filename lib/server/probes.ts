import { Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { SCRIPT_FOLDER } from '../scripts/scripts';

import type { ReadinessCheck } from './readiness-check';

/** The script that asks a server which listens on the loopback address. */
export const PROBE_SCRIPT = 'probe_server.py';

type ProbeOf = (path: string, options: kplus.ProbeOptions) => kplus.Probe;

/** The kubelet asks the pod. It takes any certificate. */
export function httpProbe(port: number, tls: boolean): ProbeOf {
  const scheme = tls ? kplus.ConnectionScheme.HTTPS : kplus.ConnectionScheme.HTTP;
  return (path, options) => kplus.Probe.fromHttpGet(path, { ...options, port, scheme });
}

/** A script asks inside the pod, where the kubelet would meet a proxy. */
export function loopbackProbe(port: number): ProbeOf {
  return (path, options) =>
    kplus.Probe.fromCommand(
      ['python', '-I', '-S', `${SCRIPT_FOLDER}/${PROBE_SCRIPT}`, String(port), path],
      // Python itself takes a while to start on a busy node.
      { ...options, timeoutSeconds: Duration.seconds(10) },
    );
}

/** The probes of the server. `/health` is answered outside the worker threads and never asks the database. */
export function probesOf(
  probeOf: ProbeOf,
  staticPrefix: string,
  readiness: ReadinessCheck,
): Pick<kplus.ContainerProps, 'startup' | 'liveness' | 'readiness'> {
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
    readiness: probe(readiness._path(staticPrefix), 5, 2),
  };
}
