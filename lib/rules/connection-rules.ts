import type { Construct } from 'constructs';

import type { PostgresConnection } from '../postgres/connection/postgres-connection';

import { POOL_FITS_DATABASE, poolFitsDatabase } from './pool-fits-database';
import { REQUESTS_FIT_POOLER, requestsFitPooler } from './requests-fit-pooler';

/** The rules on connections, by the ids that acknowledge them. */
export const CONNECTION_RULES = {
  [POOL_FITS_DATABASE]: poolFitsDatabase,
  [REQUESTS_FIT_POOLER]: requestsFitPooler,
};

interface Subscriber {
  readonly server: Construct;
  readonly acknowledged: ReadonlySet<string>;
}

const SUBSCRIBERS = new WeakMap<PostgresConnection, Subscriber[]>();

/** Holds the rules for a server that opens connections. Those who share a database get one error, at the last of them. */
export function addConnectionRules(subscriber: Subscriber, connection: PostgresConnection, database: string): void {
  SUBSCRIBERS.set(connection, [...(SUBSCRIBERS.get(connection) ?? []), subscriber]);
  subscriber.server.node.addValidation({
    validate: () => {
      const all = SUBSCRIBERS.get(connection) ?? [];
      return all[all.length - 1] === subscriber
        ? Object.entries(CONNECTION_RULES)
            .filter(([id]) => !all.some(({ acknowledged }) => acknowledged.has(id)))
            .flatMap(([, rule]) => rule(connection, database))
        : [];
    },
  });
}
