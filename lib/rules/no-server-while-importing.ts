import type { Construct } from 'constructs';

import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { addRule, type Rule, type RuleSubject } from '../validation/rule';

/** A server that may run pods. */
interface RunningServer {
  readonly server: Construct;
  /** The prop that sets their number, and the number. */
  readonly prop: string;
  readonly pods: number;
}

const SERVERS = new WeakMap<object, RunningServer[]>();

/** An import, and the servers on its database. */
interface ImportTarget extends RuleSubject {
  readonly backend: IPostgresBackend;
}

/** The rule on servers beside an import. */
export const NO_SERVER_WHILE_IMPORTING: Rule<ImportTarget> = {
  id: 'no-server-while-importing',
  description: 'No server runs on a database while an import fills it.',
  validate: ({ backend }) =>
    serversOn(backend).map(({ server, prop, pods }) =>
      [
        `no server may run on "${backend.node.id}" while it is imported into, and ${server.node.path} has \`${prop}\` ${String(pods)}.`,
        'Give it `replicas: 0` for the import, and take the import out of the app when it is done.',
      ].join(' '),
    ),
};

/** Notes a server for the rule, unless it has no pods. */
export function addServerOf(backend: IPostgresBackend, running: RunningServer): void {
  for (const key of running.pods > 0 ? keysOf(backend) : []) {
    SERVERS.set(key, [...(SERVERS.get(key) ?? []), running]);
  }
}

/** Adds the rule for an import. */
export function addImport(backend: IPostgresBackend, sqliteImport: Construct): void {
  addRule(sqliteImport, NO_SERVER_WHILE_IMPORTING, {
    backend,
    get constructs() {
      return [...serversOn(backend).map(({ server }) => server), sqliteImport];
    },
  });
}

function serversOn(backend: IPostgresBackend): RunningServer[] {
  return [...new Set(keysOf(backend).flatMap((key) => SERVERS.get(key) ?? []))];
}

// The connection tells databases apart, also behind a pooler; the backend, where it makes a new connection at each call.
function keysOf(backend: IPostgresBackend): object[] {
  return [backend, backend.connection.unpooled];
}
