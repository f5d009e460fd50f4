/** When a pooler takes a connection to the database back from a client. */
export enum PoolMode {
  /** After each transaction. What MLflow needs, and what lets many clients share few connections. */
  TRANSACTION = 'transaction',
  /** When the client disconnects. MLflow keeps its connections, so that each needs one of the database for life. */
  SESSION = 'session',
}
