import type { IConstruct } from 'constructs';

import type { PostgresConnection } from './postgres-connection';

/**
 * A PostgreSQL database that MLflow keeps its data in: anything that yields a connection.
 *
 * Extend `Construct` and implement this to bring a backend of your own.
 */
export interface IPostgresBackend extends IConstruct {
  /** How pods reach the database: the same object each time, which is what connections are counted by. */
  readonly connection: PostgresConnection;
}
