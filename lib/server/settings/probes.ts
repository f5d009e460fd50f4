import { Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { SCRIPT_FOLDER } from '../../scripts/scripts';

import { PROXIED_PORT, SERVER_PORT } from './port';

/** The condition under which the Service sends requests to a pod. */
export class ReadinessCheck {
  /** The server process responds. It does so within milliseconds, even while all its threads are busy. The default. */
  public static readonly SERVER = new ReadinessCheck((prefix) => `${prefix}/health`);

  /**
   * The server reads experiment 0 from its database.
   *
   * It is dangerous: a database that is busy or restarts removes *every* pod from the Service at once, so that clients see
   * refused connections instead of a 503. They retry both, but clients of MLflow 3.18 do not retry a create after a 503, so
   * a server that only creates gains by it. Each probe also takes one of the 40 threads of a worker,
   * and waits while all are busy. With `readFromReplica`, it reads from the replica. Choose it only where a proxy in front
   * of the server needs the state of the database.
   */
  public static readonly DATABASE = new ReadinessCheck(
    (prefix) => `${prefix}/api/2.0/mlflow/experiments/get?experiment_id=0`,
  );

  private constructor(
    /** @internal */
    public readonly _path: (staticPrefix: string) => string,
  ) {}
}

/** The script that probes a server on the loopback address. */
export const PROBE_SCRIPT = 'probe_server.py';

/** The properties of a server that its probes depend on. */
export interface ProbedServer {
  readonly staticPrefix: string;
  readonly readinessCheck: ReadinessCheck;
  readonly isHttps: boolean;
  /** Whether a proxy listens on the port of the pod. */
  readonly isProxied: boolean;
}

/** The probes of the server. `/health` needs no worker thread and no database. */
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
    // Every second, to detect the start early, for up to five minutes on a busy node.
    startup: probe(health, 1, 300),
    liveness: probe(health, 10, 6),
    readiness: probe(readinessCheck._path(staticPrefix), 5, 2),
  };
}

type ProbeOf = (path: string, options: kplus.ProbeOptions) => kplus.Probe;

/** A probe by the kubelet, which accepts any certificate. */
function httpProbe(isHttps: boolean): ProbeOf {
  const scheme = isHttps ? kplus.ConnectionScheme.HTTPS : kplus.ConnectionScheme.HTTP;
  return (path, options) => kplus.Probe.fromHttpGet(path, { ...options, port: SERVER_PORT, scheme });
}

/** A probe by a script in the pod: the kubelet would reach the proxy. */
function loopbackProbe(path: string, options: kplus.ProbeOptions): kplus.Probe {
  return kplus.Probe.fromCommand(
    ['python', '-I', '-S', `${SCRIPT_FOLDER}/${PROBE_SCRIPT}`, String(PROXIED_PORT), path],
    // Python starts slowly on a busy node.
    { ...options, timeoutSeconds: Duration.seconds(10) },
  );
}
