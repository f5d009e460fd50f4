import { Duration } from 'cdk8s';

import { checkWhole } from '../validation/checks';
import { withDefaults } from '../validation/defaults';
import type { Problems } from '../validation/problems';

/** Values above which the alerts of {@link MlflowMonitoring} fire. */
export interface AlertThresholds {
  /**
   * Share of failed requests (status 5xx), from 0 to 1.
   * @default 0.05
   */
  readonly errorRatio?: number;

  /**
   * 95th percentile of the request duration, less than 10 seconds. It includes uploads of artifacts through the server.
   * @default Duration.seconds(2)
   */
  readonly latency?: Duration;

  /**
   * Restarts of the server's container in an hour.
   * @default 2
   */
  readonly restarts?: number;

  /**
   * Transactions, as a share of the requests that the server can serve at once, from 0 to 1.
   * @default 0.9
   */
  readonly poolUsage?: number;

  /**
   * Open connections, as a share of `max_connections` of PostgreSQL, from 0 to 1.
   * @default 0.85
   */
  readonly connectionUsage?: number;

  /**
   * Used share of a volume, from 0 to 1.
   * @default 0.85
   */
  readonly volumeUsage?: number;

  /**
   * Age of the last successful backup.
   * @default Duration.hours(26) - a daily backup, and two hours for it to run
   */
  readonly backupAge?: Duration;
}

/** The thresholds with their defaults. */
export type Thresholds = Required<AlertThresholds>;

// The largest bucket of MLflow's histogram, which does not distinguish longer durations.
const LONGEST_LATENCY = 10;

/** Fills in the defaults. */
export function thresholdsOf(given: AlertThresholds = {}): Thresholds {
  return withDefaults(given, {
    errorRatio: 0.05,
    latency: Duration.seconds(2),
    restarts: 2,
    poolUsage: 0.9,
    connectionUsage: 0.85,
    volumeUsage: 0.85,
    backupAge: Duration.hours(26),
  });
}

/** Validates the thresholds. */
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
      'must be more than 0 and less than 10 seconds',
      latency,
      'The histogram of MLflow ends there.',
    );
  }
  checkWhole(problems, 'thresholds.restarts', thresholds.restarts, { least: 1 });
  if (!(inSeconds(thresholds.backupAge) > 0)) {
    problems.add('thresholds.backupAge', 'must be more than 0 seconds', inSeconds(thresholds.backupAge));
  }
}

/** A duration in seconds, with fractions. */
export function inSeconds(duration: Duration): number {
  return duration.toSeconds({ integral: false });
}
