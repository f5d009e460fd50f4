import type { Construct, IConstruct } from 'constructs';

import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { serverKeys } from '../postgres/connection/server-names';
import { addRuleOnApp, type Rule, type RuleSubject } from '../validation/rule';

/** Two Jobs that fill one database with a whole content. */
interface FilledTwice extends RuleSubject {
  readonly constructs: readonly [IConstruct, IConstruct];
}

const FILLED = new WeakMap<IConstruct, IPostgresBackend>();

export const ONE_FILLING_JOB: Rule<FilledTwice> = {
  id: 'one-filling-job',
  description: 'No two Jobs fill one database: an import, a restore or a move wants it empty.',
  validate: ({ constructs: [first, second] }) => [
    `only one Job may fill a database, got ${first.node.path} and ${second.node.path} on "${FILLED.get(second)?.node.id ?? ''}": the content would be of whichever comes first, and the other fails. Give each a database of its own, or remove the one that has run from the app.`,
  ],
};

/** Adds the rule for a Job that fills an empty database. */
export function addFillingJob(job: Construct, backend: IPostgresBackend): void {
  FILLED.set(job, backend);
  addRuleOnApp(job, ONE_FILLING_JOB, filledTwiceIn);
}

function filledTwiceIn(all: readonly IConstruct[]): FilledTwice[] {
  const firsts = new Map<unknown, IConstruct>();
  return all.flatMap((job) => {
    const backend = FILLED.get(job);
    if (backend === undefined) {
      return [];
    }
    const keys = databaseKeys(backend, job);
    const first = keys.map((key) => firsts.get(key)).find((each) => each !== undefined);
    keys.filter((key) => !firsts.has(key)).forEach((key) => firsts.set(key, job));
    return first === undefined ? [] : [{ constructs: [first, job] as const }];
  });
}

/** What a database is known by: its backend, its connection, and its name at each name of its server. */
function databaseKeys(backend: IPostgresBackend, scope: IConstruct): unknown[] {
  const connection = backend.connection.unpooled;
  const { value } = connection.database as { readonly value?: unknown };
  const named = serverKeys(connection, scope).filter((key) => typeof key === 'string' && typeof value === 'string');
  return [backend, connection, ...named.map((key) => JSON.stringify([key, value]))];
}
