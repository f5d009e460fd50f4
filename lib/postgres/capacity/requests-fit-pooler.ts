import { counted } from '../../validation/checks';
import type { Rule } from '../../validation/rule';

import type { DatabaseDemand, ServerPods } from './database-demand';

/** The rule on requests in flight. Each may hold one connection while it waits for a second, so all can wait for each other. */
export const REQUESTS_FIT_POOLER: Rule<DatabaseDemand> = {
  id: 'requests-fit-pooler',
  description: 'All servers serve fewer requests at once than a pod of their pooler has connections to the database.',
  validate: (pooler) => {
    const [{ serverConnections = Infinity } = {}] = pooler.connections;
    const servers = pooler.demands.flatMap(({ by, server }) => (server ? [{ by, ...server }] : []));
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
        `up to ${String(total)} requests at once (${factors.join('; ')}) must be fewer than the ${String(serverConnections)} connections that a pod of ${pooler.name} opens to its database.`,
        "Otherwise they can wait for each other's connections. Lower `threads`, `workers` or `replicas`, or raise `defaultPoolSize`.",
        ...(largest < 1 ? [] : [`The largest \`threads\` that fits is ${String(largest)}.`]),
      ].join(' '),
    ];
  },
};

function requestsOf({ pods, workers, threads }: ServerPods): number {
  return pods * workers * threads;
}

function factorsOf({ pods, workers, threads }: ServerPods): string {
  return [counted(pods, 'pod'), counted(workers, 'worker'), counted(threads, 'thread')].join(' x ');
}
