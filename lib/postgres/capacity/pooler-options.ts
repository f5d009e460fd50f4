import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** When a pooler takes a connection to the database back from a client. */
export enum PoolMode {
  /** After each transaction. What MLflow needs, and what lets many clients share few connections. */
  TRANSACTION = 'transaction',
  /** When the client disconnects. MLflow keeps its connections, so that each needs one of the database for life. */
  SESSION = 'session',
}

/** What decides how many connections a pooler opens and accepts. */
export interface PoolerOptions {
  /**
   * When a connection to the database is taken back from a client.
   * @default PoolMode.TRANSACTION
   */
  readonly poolMode?: PoolMode;

  /**
   * Connections to the database that each pod opens at most.
   *
   * A call of MLflow that logs a batch holds one while it waits for a second. So the size must exceed the calls that all
   * servers may have in flight together (pods × workers × threads), or they can wait for each other until
   * `query_wait_timeout` ends some of them.
   * @default - 60, or the largest that fits where `maxConnections` of the database is known and allows less
   */
  readonly defaultPoolSize?: number;

  /**
   * Further connections that each pod opens for clients that have waited for 5 seconds.
   * @default 0
   */
  readonly reservePoolSize?: number;

  /**
   * Clients that each pod accepts: `maxConnections` of this backend is computed from it.
   * @default 1000
   */
  readonly maxClientConnections?: number;
}

/** The settings of PgBouncer that have a prop, with the name of the prop. */
export const POOLER_PROPS = {
  pool_mode: 'poolMode',
  default_pool_size: 'defaultPoolSize',
  reserve_pool_size: 'reservePoolSize',
  max_client_conn: 'maxClientConnections',
} as const;

/** Settings that MLflow needs to differ from PgBouncer's defaults. */
export const POOLER_TIMEOUTS = {
  // As long as MLflow itself waits for a connection, not four times as long.
  query_wait_timeout: 30,
  // The default of 15 s is how long calls would fail after each restart of the database, however short.
  server_login_retry: 0.5,
  // An address whose pod is gone swallows packets, and one attempt holds up the whole pool: not for the default of 15 s.
  server_connect_timeout: 5,
};

/** Validates the options of a pooler. `at` is where they are: empty, or a prefix such as `pooler.`. */
export function checkPoolerOptions(problems: Problems, options: PoolerOptions, at = ''): void {
  checkWhole(problems, `${at}defaultPoolSize`, options.defaultPoolSize, { least: 1 });
  checkWhole(problems, `${at}reservePoolSize`, options.reservePoolSize, { least: 0 });
  checkWhole(problems, `${at}maxClientConnections`, options.maxClientConnections, { least: 1 });
}
