import type { Problems } from '../../validation/problems';
import { checkDatabase } from '../../postgres/connection/endpoint';
import { PgBouncer } from '../../postgres/pg-bouncer/pg-bouncer';
import { ReadinessCheck } from '../settings/readiness-check';

import type { AuthContext } from './auth-strategy';

/**
 * Where users are kept: all else than the database's name is in libpq's own variables.
 *
 * The name is a parameter, since SQLAlchemy takes the path of a URI as it is, while libpq decodes it.
 */
export function userDatabaseUri(database: string | undefined): string {
  return database === undefined
    ? 'postgresql+psycopg2://'
    : `postgresql+psycopg2:///?dbname=${encodeURIComponent(database)}`;
}

/** What must be true of a server whose users are in PostgreSQL. */
export function checkUserDatabase(problems: Problems, database: string | undefined, context: AuthContext): void {
  checkDatabase(problems, database, 'auth.database');
  if (database !== undefined && context.backend instanceof PgBouncer) {
    problems.add(
      'auth.database',
      'must be left out behind a PgBouncer, which knows one database',
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
