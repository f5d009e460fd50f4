import { counted } from '../validation/counted';
import { connectionDemandsOn, type ServerPods } from '../postgres/capacity/connection-demand';
import type { PostgresConnection } from '../postgres/connection/postgres-connection';

/** The id of the rule, for those who acknowledge it. */
export const REQUESTS_FIT_POOLER = 'requests-fit-pooler';

/**
 * Rule: the requests that all servers serve at once are fewer than the connections that a pooler lends.
 *
 * Each may hold one connection while it waits for a second, so that otherwise all of them can wait for each other.
 */
export function requestsFitPooler(connection: PostgresConnection, pooler: string): string[] {
  const { serverConnections = Infinity } = connection;
  const servers = connectionDemandsOn(connection).flatMap(({ by, server }) => (server ? [{ by, ...server }] : []));
  const total = servers.reduce((requests, server) => requests + requestsOf(server), 0);
  if (total < serverConnections) {
    return [];
  }
  const factors = servers.map((server) =>
    servers.length === 1 ? factorsOf(server) : `${server.by.node.id}: ${factorsOf(server)}`,
  );
  const processes = servers.reduce((workers, server) => workers + server.pods * server.workers, 0);
  const largest = Math.floor((serverConnections - 1) / processes);
  return [
    [
      `up to ${String(total)} requests at once (${factors.join('; ')}) must be fewer than the ${String(serverConnections)} connections that a pod of ${pooler} lends.`,
      "Otherwise they can wait for each other's connections. Lower `threads`, `workers` or `replicas`, or raise `defaultPoolSize`.",
      ...(largest < 1 ? [] : [`The largest \`threads\` that fits is ${String(largest)}.`]),
    ].join(' '),
  ];
}

function requestsOf({ pods, workers, threads }: ServerPods): number {
  return pods * workers * threads;
}

function factorsOf({ pods, workers, threads }: ServerPods): string {
  return [counted(pods, 'pod'), counted(workers, 'worker'), counted(threads, 'thread')].join(' x ');
}
