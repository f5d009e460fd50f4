import type { Problems } from '../../validation/problems';
import { checkDatabase } from '../../postgres/connection/endpoint';
import { ReadinessCheck } from '../settings/readiness-check';

import type { AuthContext } from './auth-strategy';

/**
 * The URI of the database with the users. Everything but its name is in libpq's own variables.
 *
 * The name is a parameter, since SQLAlchemy takes the path of a URI as it is, while libpq decodes it.
 */
export function userDatabaseUri(database: string | undefined): string {
  return database === undefined
    ? 'postgresql+psycopg2://'
    : `postgresql+psycopg2:///?dbname=${encodeURIComponent(database)}`;
}

/** Validates the props of a server whose users are in PostgreSQL. */
export function checkUserDatabase(problems: Problems, database: string | undefined, context: AuthContext): void {
  checkDatabase(problems, database, 'auth.database');
  const { bypass, poolsAnyDatabase } = context.backend.connection;
  if (database !== undefined && bypass !== undefined && !poolsAnyDatabase) {
    problems.add(
      'auth.database',
      'must be left out behind a pooler that connects to one database',
      database,
      `Leave it out: the users are then in the database of "${context.backend.node.id}".`,
    );
  }
  if (context.readinessCheck === ReadinessCheck.DATABASE) {
    problems.say(
      '`readinessCheck` must not be DATABASE with an `auth` that asks for a login: the probe has none.',
      'Leave it out.',
    );
  }
}
