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

/** A Job that fills a database, and the servers on it. */
interface FilledDatabase extends RuleSubject {
  readonly backend: IPostgresBackend;
}

export const NO_SERVER_WHILE_IMPORTING = noServerDuring('an import', 'no-server-while-importing', [
  'No server runs on a database while an import fills it.',
  'Set its `replicas` to 0 for the import, and remove the import from the app afterwards.',
]);

export const NO_SERVER_WHILE_RESTORING = noServerDuring('a restore', 'no-server-while-restoring', [
  'No server runs on a database while a restore fills it.',
  'Set its `replicas` to 0 for the restore, and remove the restore from the app afterwards.',
]);

export const NO_SERVER_WHILE_RELOCATING = noServerDuring('a relocation', 'no-server-while-relocating', [
  'No server runs on a database while a relocation moves its artifacts.',
  'Set its `replicas` to 0 for the relocation, and remove the relocation from the app afterwards.',
]);

export const NO_SERVER_WHILE_MOVING = noServerDuring('a move', 'no-server-while-moving', [
  'No server runs on either database while a move copies one into the other.',
  'Set its `replicas` to 0 for the move, and remove the move from the app afterwards.',
]);

function noServerDuring(what: string, id: string, [description, hint]: [string, string]): Rule<FilledDatabase> {
  return {
    id,
    description,
    validate: ({ backend }) =>
      serversOn(backend).map(
        ({ server, prop, pods }) =>
          `no server may run on "${backend.node.id}" during ${what}, got ${server.node.path} with \`${prop}\` ${String(pods)}. ${hint}`,
      ),
  };
}

/** Registers a server for the rule, unless it has no pods. */
export function addServerOf(backend: IPostgresBackend, running: RunningServer): void {
  for (const key of running.pods > 0 ? keysOf(backend) : []) {
    SERVERS.set(key, [...(SERVERS.get(key) ?? []), running]);
  }
}

/** Adds the rule for a Job that fills a database. */
export function addFilling(rule: Rule<FilledDatabase>, backend: IPostgresBackend, job: Construct): void {
  addRule(job, rule, {
    backend,
    get constructs() {
      return [...serversOn(backend).map(({ server }) => server), job];
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
