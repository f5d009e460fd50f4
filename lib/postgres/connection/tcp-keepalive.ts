import { Duration } from 'cdk8s';

import { checkSeconds, checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/**
 * When a connection counts as dead whose peer no longer answers: its node is gone, or a NAT or a load balancer forgot it.
 *
 * The kernel's own answer takes about 15 minutes while data is sent, and 2 hours on an idle connection. With the defaults here it
 * takes 20 s, respectively one minute.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES
 */
export interface TcpKeepaliveOptions {
  /**
   * Time without traffic after which the first probe is sent, in whole seconds. Keep it below the idle limit of
   * each NAT and load balancer on the way, of which some have 4 minutes.
   * @default Duration.seconds(30)
   */
  readonly idle?: Duration;

  /**
   * Time between two probes, in whole seconds.
   * @default Duration.seconds(10)
   */
  readonly interval?: Duration;

  /**
   * Probes without an answer after which the connection is closed.
   * @default 3
   */
  readonly count?: number;

  /**
   * Time without an acknowledgement of sent data after which the connection is closed: the longest that a request waits for a
   * peer that is gone.
   * @default Duration.seconds(20)
   */
  readonly userTimeout?: Duration;
}

const DEFAULTS: Required<TcpKeepaliveOptions> = {
  idle: Duration.seconds(30),
  interval: Duration.seconds(10),
  count: 3,
  userTimeout: Duration.seconds(20),
};

/** Validates the options. */
export function checkTcpKeepalive(problems: Problems, options: TcpKeepaliveOptions = {}): void {
  checkSeconds(problems, 'tcpKeepalive.idle', options.idle);
  checkSeconds(problems, 'tcpKeepalive.interval', options.interval);
  checkWhole(problems, 'tcpKeepalive.count', options.count, { least: 1, most: 127 });
  checkSeconds(problems, 'tcpKeepalive.userTimeout', options.userTimeout);
}

/** The parameters of libpq, which have no environment variables. */
export function keepaliveParameters(options?: TcpKeepaliveOptions): Record<string, number> {
  const { idle, interval, count, userTimeout } = { ...DEFAULTS, ...options };
  return {
    keepalives_idle: idle.toSeconds(),
    keepalives_interval: interval.toSeconds(),
    keepalives_count: count,
    tcp_user_timeout: userTimeout.toMilliseconds(),
  };
}

/** The settings of PgBouncer, for the connections to the database and to its clients. */
export function poolerKeepalive(options?: TcpKeepaliveOptions): Record<string, number> {
  const { idle, interval, count, userTimeout } = { ...DEFAULTS, ...options };
  return {
    tcp_keepidle: idle.toSeconds(),
    tcp_keepintvl: interval.toSeconds(),
    tcp_keepcnt: count,
    tcp_user_timeout: userTimeout.toMilliseconds(),
  };
}
