import type { Problems } from '../../validation/problems';

/** The schema of a database that MLflow uses. */
export interface SchemaOptions {
  /**
   * Schema of the database that holds MLflow's tables: the first and only one in the `search_path` of everything that connects. Where
   * it does not exist, the migration creates it, if the login may.
   * @default - the first schema in the login's own `search_path`, by default `public`
   */
  readonly schema?: string;
}

/** Validates the name of a schema. */
export function checkSchema(problems: Problems, schema: string | undefined): void {
  if (schema === undefined) {
    return;
  }
  // PostgreSQL silently truncates names to 63 bytes (NAMEDATALEN).
  // eslint-disable-next-line no-control-regex
  if (Buffer.byteLength(schema) > 63 || /[\x00-\x1f\x7f]/.test(schema)) {
    problems.add('schema', 'must have 1 to 63 bytes without control characters', schema);
  } else if (/^pg_|^information_schema$|^\$user$/.test(schema)) {
    problems.add('schema', "must not be PostgreSQL's own (pg_…, information_schema, $user)", schema);
  }
}

/** A name as SQL and `search_path` take it. */
export function quotedName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** libpq's PGOPTIONS with this schema, in which a backslash goes before spaces and backslashes. */
export function schemaOptions(schema: string): string {
  return `-c search_path=${quotedName(schema).replace(/[\\\s]/g, '\\$&')}`;
}
