import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** The port of PostgreSQL, unless it is told another. */
export const POSTGRES_PORT = 5432;

/** The database of MLflow, unless it is told another. */
export const DEFAULT_DATABASE = 'mlflow';

/** `max_connections` of PostgreSQL, unless it is told another. */
export const DEFAULT_MAX_CONNECTIONS = 100;

/** Validates `maxConnections`. */
export function checkMaxConnections(problems: Problems, maxConnections: number | undefined): void {
  checkWhole(problems, 'maxConnections', maxConnections, { least: 1, most: 262143 });
}

/** Validates settings that a user adds to a configuration file. Those in `owned` have a prop, or, if it is empty, none. */
export function checkSettings(
  problems: Problems,
  prop: string,
  settings: Record<string, string> = {},
  file: 'postgresql.conf' | 'pgbouncer.ini',
  owned: Record<string, string>,
): void {
  for (const [name, value] of Object.entries(settings)) {
    const owner = owned[name];
    if (owner !== undefined) {
      problems.say(
        `\`${prop}\` must not name ${name}.`,
        owner === '' ? 'The library sets it itself.' : `Use \`${owner}\`.`,
      );
    } else if (!/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/.test(name)) {
      problems.add(prop, `must have names of settings of ${file}`, name);
    } else if (/[\r\n]/.test(value)) {
      problems.add(`${prop}.${name}`, 'must be one line', value);
    }
  }
}
