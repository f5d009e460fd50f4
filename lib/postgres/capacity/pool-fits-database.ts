import type { Rule } from '../../validation/rule';

import { connectionsOfJobs, fewestConnectionsOfPod } from './connection-math';
import { type ConnectionDemand, type DatabaseDemand, RESERVED_CONNECTIONS } from './database-demand';
import { PoolingProfile } from './pooling-profile';

/** The rule on the connections of all clients of a server. */
export const POOL_FITS_DATABASE: Rule<DatabaseDemand> = {
  id: 'pool-fits-database',
  description:
    'All that connects to a PostgreSQL server, to all of its databases, opens no more connections together than it takes.',
  validate: (server) => {
    const { demands, offered, isPooler } = server;
    const conflict = conflictingLimits(server);
    if (conflict !== undefined) {
      return [conflict];
    }
    const total = sum(demands);
    if (total <= offered) {
      return [];
    }
    const takers = takersOf(server);
    const end = [hint(demands, isPooler), ...largestThatFits(offered, demands), ...largestPoolSize(server)];
    if (takers.size < 2) {
      return [
        [
          `up to ${String(total)} connections (${factorsOf(demands)}) exceed the ${String(offered)} that ${server.name} offers.`,
          ...end,
        ].join(' '),
      ];
    }
    const shares = [...takers].map(([name, of]) => `${name}: ${String(sum(of))} (${factorsOf(of, true)})`);
    return [
      [
        `up to ${String(total)} connections exceed the ${String(offered)} that ${server.name} offers to all of its backends together:`,
        ...shares.map((share) => `  ${share}`),
        [...end, ...(isPooler ? [] : [`\`maxConnections\` ${String(total + RESERVED_CONNECTIONS)} fits all.`])].join(
          ' ',
        ),
      ].join('\n    '),
    ];
  },
};

/** The demands of each backend, by its path. */
function takersOf(server: DatabaseDemand): Map<string, ConnectionDemand[]> {
  const takers = new Map<string, ConnectionDemand[]>();
  for (const demand of server.demands) {
    const name = server.pathOf(demand.connection);
    takers.set(name, [...(takers.get(name) ?? []), demand]);
  }
  return takers;
}

function factorsOf(demands: readonly ConnectionDemand[], isNamed = demands.length > 1): string {
  return demands.map(({ by, factors }) => (!isNamed ? factors : `${by.node.id}: ${factors}`)).join('; ');
}

/** A server has one limit, so backends that give it two contradict each other. */
function conflictingLimits(server: DatabaseDemand): string | undefined {
  const limits = new Map<number, string>();
  for (const connection of server.connections) {
    const { maxConnections } = connection;
    if (maxConnections !== undefined && !limits.has(maxConnections)) {
      limits.set(maxConnections, server.pathOf(connection));
    }
  }
  const given = [...limits].map(([limit, backend]) => `${String(limit)} of ${backend}`);
  return limits.size < 2
    ? undefined
    : `\`maxConnections\` must be the same in all backends on ${server.name}, got ${given.join(' and ')}. It is the limit of the whole server (SHOW max_connections), which all of its databases share. Give each backend that number.`;
}

function hint(demands: readonly ConnectionDemand[], isPooler: boolean): string {
  if (!demands.some(({ server }) => server !== undefined)) {
    return 'Raise `maxConnections` of the database, or lower `defaultPoolSize` of its poolers.';
  }
  return isPooler
    ? 'Lower `pooling`, `workers` or `replicas`, or raise `maxClientConnections` of the pooler, in session mode `defaultPoolSize`.'
    : 'Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between.';
}

function largestThatFits(offered: number, demands: readonly ConnectionDemand[]): string[] {
  const servers = demands.flatMap(({ server }) => server ?? []);
  const pods = servers.reduce((total, server) => total + server.pods, 0);
  const workers = Math.max(...servers.map((server) => server.workers));
  const jobs = servers.reduce((total, server) => total + server.pods * connectionsOfJobs(server.jobs), 0);
  const connections = offered - jobs - sum(demands.filter(({ server }) => server === undefined));
  const furtherEngines = Math.max(...servers.map((server) => server.furtherEngines));
  if (servers.length === 0 || pods * fewestConnectionsOfPod(workers, furtherEngines) > connections) {
    return [];
  }
  const usersInDatabase = furtherEngines > 0;
  const { poolSize, maxOverflow } = PoolingProfile.fitting({ connections, pods, workers, usersInDatabase });
  return [`The largest pool that fits is ${String(poolSize)} + ${String(maxOverflow)}.`];
}

function largestPoolSize(server: DatabaseDemand): string[] {
  const isPooled = server.demands.some(({ pooler }) => pooler !== undefined);
  const largest = isPooled ? server.largestPoolSize(() => true) : 0;
  return largest < 1 ? [] : [`The largest \`defaultPoolSize\` that fits is ${String(largest)}.`];
}

function sum(demands: readonly ConnectionDemand[]): number {
  return demands.reduce((total, { connections }) => total + connections, 0);
}
