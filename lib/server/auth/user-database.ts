import type { Problems } from '../../validation/problems';
import { checkDatabase } from '../../postgres/connection/endpoint';
import { ReadinessCheck } from '../settings/probes';

import type { AuthContext } from './auth-strategy';

/**
 * The URI of the database with the users. All but its name is in the PG* variables.
 *
 * The name is a parameter because libpq decodes it, while SQLAlchemy does not decode the path of a URI.
 */
export function userDatabaseUri(database: string | undefined): string {
  return database === undefined
    ? 'postgresql+psycopg2://'
    : `postgresql+psycopg2:///?dbname=${encodeURIComponent(database)}`;
}

/** Validates the props of a server whose users are stored in PostgreSQL. */
export function checkUserDatabase(problems: Problems, database: string | undefined, context: AuthContext): void {
  checkDatabase(problems, database, 'auth.database');
  const { bypass, poolsAnyDatabase } = context.backend.connection;
  if (database !== undefined && bypass !== undefined && !poolsAnyDatabase) {
    problems.add(
      'auth.database',
      'must be left out behind a pooler that connects to one database',
      database,
      `Leave it out: the database of "${context.backend.node.id}" then stores the users.`,
    );
  }
  if (context.readinessCheck === ReadinessCheck.DATABASE) {
    problems.say(
      '`readinessCheck` must not be DATABASE with an `auth` that requires a login, which the probe does not have.',
      'Leave it out.',
    );
  }
}
