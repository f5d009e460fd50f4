import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** Pool mode of PgBouncer: how long a client keeps a connection to the database. */
export enum PoolMode {
  /** For one transaction, so that many clients share few connections. Choose it for MLflow. */
  TRANSACTION = 'transaction',
  /** Until the client disconnects. MLflow keeps its connections open, so each occupies one of the database. */
  SESSION = 'session',
}

/** Connections that a pooler opens and accepts. */
export interface PoolerOptions {
  /**
   * Pool mode: how long a client keeps a connection to the database.
   * @default PoolMode.TRANSACTION
   */
  readonly poolMode?: PoolMode;

  /**
   * The most connections to the database that each pod opens.
   *
   * A request that logs a batch holds one connection while it waits for a second. So the size must exceed the requests in flight of
   * all servers together (pods × workers × threads); otherwise requests can wait for each other until `query_wait_timeout` ends
   * some of them.
   * @default - 60, or the largest that fits `maxConnections` of the database beside its other clients, if that is known and allows less
   */
  readonly defaultPoolSize?: number;

  /**
   * Further connections that each pod opens if a client has waited for 5 seconds.
   * @default 0
   */
  readonly reservePoolSize?: number;

  /**
   * Client connections that each pod accepts. `maxConnections` of this backend follows from it.
   * @default 1000
   */
  readonly maxClientConnections?: number;
}

/** Settings of PgBouncer with a prop, and the name of the prop. */
export const POOLER_PROPS = {
  pool_mode: 'poolMode',
  default_pool_size: 'defaultPoolSize',
  reserve_pool_size: 'reservePoolSize',
  max_client_conn: 'maxClientConnections',
} as const;

/** Timeouts for MLflow, in seconds, instead of PgBouncer's defaults. */
export const POOLER_TIMEOUTS = {
  // The time that MLflow itself waits for a connection, instead of 120 s.
  query_wait_timeout: 30,
  // With the default of 15 s, requests would fail that long after each restart of the database, however short.
  server_login_retry: 0.5,
  // An address whose pod is gone drops packets, and one attempt blocks the whole pool; by default for 15 s.
  server_connect_timeout: 5,
};

/** Validates the options of a pooler. `at` is their prefix: empty, or `pooler.`. */
export function checkPoolerOptions(problems: Problems, options: PoolerOptions, at = ''): void {
  checkWhole(problems, `${at}defaultPoolSize`, options.defaultPoolSize, { least: 1 });
  checkWhole(problems, `${at}reservePoolSize`, options.reservePoolSize, { least: 0 });
  checkWhole(problems, `${at}maxClientConnections`, options.maxClientConnections, { least: 1 });
}
