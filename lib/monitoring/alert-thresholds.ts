import { Duration } from 'cdk8s';

import { checkWhole } from '../validation/checks';
import type { Problems } from '../validation/problems';

/** From which value on the alerts of {@link MlflowMonitoring} are on. */
export interface AlertThresholds {
  /**
   * Share of requests that the server fails (status 5xx), from 0 to 1.
   * @default 0.05
   */
  readonly errorRatio?: number;

  /**
   * Time within which 95 of 100 requests are answered, less than 10 seconds. Uploads of artifacts through the server count.
   * @default Duration.seconds(2)
   */
  readonly latency?: Duration;

  /**
   * Restarts of the server's container in an hour.
   * @default 2
   */
  readonly restarts?: number;

  /**
   * Share of the requests a server can work on at once that are in a transaction, from 0 to 1.
   * @default 0.9
   */
  readonly poolUsage?: number;

  /**
   * Share of the connections that PostgreSQL takes, from 0 to 1.
   * @default 0.85
   */
  readonly connectionUsage?: number;

  /**
   * Share of a volume that is in use, from 0 to 1.
   * @default 0.85
   */
  readonly volumeUsage?: number;

  /**
   * Age of the last good backup.
   * @default Duration.hours(26) - a daily one, and two hours for it
   */
  readonly backupAge?: Duration;
}

/** The thresholds, defaults filled in. */
export type Thresholds = Required<AlertThresholds>;

// The largest bucket of MLflow's histogram: what takes longer is not told apart.
const LONGEST_LATENCY = 10;

/** The given thresholds, and the defaults of the others. */
export function thresholdsOf(given: AlertThresholds = {}): Thresholds {
  return {
    errorRatio: 0.05,
    latency: Duration.seconds(2),
    restarts: 2,
    poolUsage: 0.9,
    connectionUsage: 0.85,
    volumeUsage: 0.85,
    backupAge: Duration.hours(26),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** What thresholds must look like. */
export function checkThresholds(problems: Problems, thresholds: Thresholds): void {
  for (const name of ['errorRatio', 'poolUsage', 'connectionUsage', 'volumeUsage'] as const) {
    const share = thresholds[name];
    if (!(share > 0 && share < 1)) {
      problems.add(`thresholds.${name}`, 'must be a share between 0 and 1', share, 'For 85 percent, write 0.85.');
    }
  }
  const latency = inSeconds(thresholds.latency);
  if (!(latency > 0 && latency < LONGEST_LATENCY)) {
    problems.add(
      'thresholds.latency',
      'must be less than 10 seconds, and more than 0',
      latency,
      'MLflow counts no further.',
    );
  }
  checkWhole(problems, 'thresholds.restarts', thresholds.restarts, { least: 1 });
  if (!(inSeconds(thresholds.backupAge) > 0)) {
    problems.add('thresholds.backupAge', 'must be more than 0 seconds', inSeconds(thresholds.backupAge));
  }
}

/** A duration in seconds, parts of them too. */
export function inSeconds(duration: Duration): number {
  return duration.toSeconds({ integral: false });
}
