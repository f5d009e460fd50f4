import type { IConstruct } from 'constructs';

import type { PostgresConnection } from './postgres-connection';

/**
 * A PostgreSQL database for MLflow: any construct with a connection.
 *
 * For a backend of your own, extend `Construct` and implement this interface.
 */
export interface IPostgresBackend extends IConstruct {
  /** Connection to the database. It must always be the same object, since the library counts connections by it. */
  readonly connection: PostgresConnection;
}
