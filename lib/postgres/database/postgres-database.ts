import { Construct } from 'constructs';

import { problemsOf } from '../../kube/construct';
import { text } from '../../kube/values/env-values';
import { checkConstruct } from '../../validation/arguments';
import { checkDatabase } from '../connection/endpoint';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection } from '../connection/postgres-connection';
import type { PostgresCredentials } from '../connection/postgres-credentials';
import { checkSchema, type SchemaOptions } from '../connection/schema';

/** Props of {@link PostgresDatabase}. */
export interface PostgresDatabaseProps extends SchemaOptions {
  /**
   * Any backend on the same server. The database has its address, TLS, sidecar and connection limit. A pooler of it is bypassed: its
   * pools are those of its own database.
   */
  readonly server: IPostgresBackend;

  /** Name of the database. */
  readonly database: string;

  /** Login of MLflow in this database: that of its owner. */
  readonly credentials: PostgresCredentials;
}

/**
 * A further database on the server of another backend, for a further MLflow server: of a team or a stage, also in another chart and
 * namespace. `DatabaseBootstrap` makes it; for a cluster of CloudNativePG, use `CloudNativePostgres.addDatabase()`.
 *
 * The connections of all databases of a server count towards its `maxConnections`.
 */
export class PostgresDatabase extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: PostgresDatabaseProps) {
    super(...checkConstruct('PostgresDatabase', scope, id, props));
    const { server, database, credentials, schema } = props;
    const other = server.connection.unpooled;
    const problems = problemsOf(this);
    checkDatabase(problems, database);
    checkSchema(problems, schema);
    if (other.credentials.password === undefined) {
      problems.say(
        '`server` must log in with a password: a certificate, or a sidecar that logs in, is that of one role.',
        'Make another backend like it instead: with the same host or instance, both share one server.',
      );
    }
    problems.throwIfAny();

    this.connection = new PostgresConnection({
      // eslint-disable-next-line @typescript-eslint/no-misused-spread -- A connection has the fields of its props.
      ...other,
      maxConnections: other.maxConnections,
      database: text(database),
      credentials,
      schema,
    });
    this.connection._origin = other;
  }
}
