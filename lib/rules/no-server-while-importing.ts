import type { Construct } from 'constructs';

import type { IPostgresBackend } from '../postgres/connection/postgres-backend';

/** A server that may run pods. */
interface RunningServer {
  readonly server: Construct;
  /** The prop that says so, and the number. */
  readonly prop: string;
  readonly pods: number;
}

const SERVERS = new WeakMap<object, RunningServer[]>();

/** Tells the rule of a server. One without pods is none. */
export function addServerOf(backend: IPostgresBackend, running: RunningServer): void {
  for (const database of running.pods > 0 ? namesOf(backend) : []) {
    SERVERS.set(database, [...(SERVERS.get(database) ?? []), running]);
  }
}

/** Rule: no server runs on a database while an import fills it. */
export function addImport(backend: IPostgresBackend, sqliteImport: Construct): void {
  sqliteImport.node.addValidation({
    validate: () =>
      [...new Set(namesOf(backend).flatMap((database) => SERVERS.get(database) ?? []))].map(({ server, prop, pods }) =>
        [
          `no server may run on "${backend.node.id}" while it is imported into, and ${server.node.path} has \`${prop}\` ${String(pods)}.`,
          'Give it `replicas: 0` for the import, and take the import out of the app when it is done.',
        ].join(' '),
      ),
  });
}

// A pooler's database is that behind it. A backend of one's own may make a new connection whenever it is asked.
function namesOf(backend: IPostgresBackend): object[] {
  const { connection } = backend;
  return [backend, connection.unpooled];
}
