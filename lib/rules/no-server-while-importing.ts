import type { Construct } from 'constructs';

import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { addRule, type Rule, type RuleSubject } from '../validation/rule';

/** A server with pods. */
interface RunningServer {
  readonly server: Construct;
  /** The prop that sets the number of pods. */
  readonly prop: string;
  readonly pods: number;
}

const SERVERS = new WeakMap<object, RunningServer[]>();

/** An import, and the servers on its database. */
interface ImportTarget extends RuleSubject {
  readonly backend: IPostgresBackend;
}

export const NO_SERVER_WHILE_IMPORTING: Rule<ImportTarget> = {
  id: 'no-server-while-importing',
  description: 'No server runs on a database while an import fills it.',
  validate: ({ backend }) =>
    serversOn(backend).map(({ server, prop, pods }) =>
      [
        `no server may run on "${backend.node.id}" during an import, got ${server.node.path} with \`${prop}\` ${String(pods)}.`,
        'Set its `replicas` to 0 for the import, and remove the import from the app afterwards.',
      ].join(' '),
    ),
};

/** Registers a server for the rule, unless it has no pods. */
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

// The connection identifies the database, also behind a pooler; the backend does where it makes a new connection at each call.
function keysOf(backend: IPostgresBackend): object[] {
  return [backend, backend.connection.unpooled];
}
