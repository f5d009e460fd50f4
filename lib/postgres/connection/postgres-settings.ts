import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { nearest } from '../../validation/spelling';

import { SETTING_NAMES } from './setting-names';

/** Default port of PostgreSQL. */
export const POSTGRES_PORT = 5432;

/** Default name of MLflow's database. */
export const DEFAULT_DATABASE = 'mlflow';

/** Default of PostgreSQL's `max_connections`. */
export const DEFAULT_MAX_CONNECTIONS = 100;

/** Validates `maxConnections`. */
export function checkMaxConnections(problems: Problems, maxConnections: number | undefined): void {
  checkWhole(problems, 'maxConnections', maxConnections, { least: 1, most: 262143 });
}

// Settings of PgBouncer whose values are numbers.
const NUMBERS =
  /_(timeout|size|conn|connections|lifetime|retry|delay|period|ttl|statements|backlog|loopcnt|keepidle|keepintvl|keepcnt)$/;

/** Validates further settings of a configuration file. `owned`: settings of the library, with the prop for each, or empty. */
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
    } else if (file === 'postgresql.conf' && !name.includes('.') && !SETTING_NAMES.includes(name)) {
      const meant = nearest(name, SETTING_NAMES);
      problems.add(
        prop,
        'must have names of settings of PostgreSQL 14 to 18',
        name,
        meant === undefined ? 'Those of extensions have a dot, and are not checked.' : `Did you mean ${meant}?`,
      );
    } else if (/[\r\n]/.test(value)) {
      problems.add(`${prop}.${name}`, 'must be one line', value);
    } else if (file === 'postgresql.conf' && value.trim() === '') {
      problems.add(`${prop}.${name}`, 'must have a value', value, 'Leave it out for the default of PostgreSQL.');
    } else if (file === 'pgbouncer.ini' && NUMBERS.test(name) && !/^\d+(\.\d+)?$/.test(value)) {
      problems.add(`${prop}.${name}`, 'must be a number without a unit', value);
    }
  }
}
