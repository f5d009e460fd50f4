import type { Problems } from '../../validation/problems';
import { checkDatabase } from '../../postgres/connection/endpoint';
import { ReadinessCheck } from '../settings/probes';

import type { AuthContext } from './auth-strategy';

/**
 * The URI of the database with the users, or of its read replicas. All else is in the PG* variables.
 *
 * The name is a parameter because libpq decodes it, while SQLAlchemy does not decode the path of a URI.
 */
export function userDatabaseUri(database: string | undefined, readHost?: string): string {
  const parameters = [
    ...(database === undefined ? [] : [`dbname=${encodeURIComponent(database)}`]),
    // A replica accepts no writes, so PGTARGETSESSIONATTRS=read-write must not apply to it.
    ...(readHost === undefined ? [] : [`host=${encodeURIComponent(readHost)}`, 'target_session_attrs=any']),
  ];
  return `postgresql+psycopg2://${parameters.length === 0 ? '' : `/?${parameters.join('&')}`}`;
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
  checkReadiness(problems, context);
}

/** Validates the probe of a server where MLflow itself requires a login. */
export function checkReadiness(problems: Problems, { readinessCheck }: AuthContext): void {
  if (readinessCheck === ReadinessCheck.DATABASE) {
    problems.say(
      '`readinessCheck` must not be DATABASE with an `auth` that requires a login, which the probe does not have.',
      'Leave it out.',
    );
  }
}
