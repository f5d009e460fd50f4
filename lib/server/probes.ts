import { Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import type { ReadinessCheck } from './readiness-check';

/** The probes of the server. `/health` is answered outside the worker threads and never asks the database. */
export function probesOf(
  port: number,
  staticPrefix: string,
  readiness: ReadinessCheck,
  tls: boolean,
): Pick<kplus.ContainerProps, 'startup' | 'liveness' | 'readiness'> {
  const probe = (path: string, periodSeconds: number, failureThreshold: number): kplus.Probe =>
    kplus.Probe.fromHttpGet(path, {
      port,
      // The kubelet takes any certificate.
      scheme: tls ? kplus.ConnectionScheme.HTTPS : kplus.ConnectionScheme.HTTP,
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
