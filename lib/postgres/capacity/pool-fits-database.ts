import type { Rule } from '../../validation/rule';

import { fewestConnectionsOfPod, JOB_CONNECTIONS } from './connection-math';
import { type ConnectionDemand, connectionsOffered, type DatabaseDemand } from './database-demand';
import { PoolingProfile } from './pooling-profile';

/** The rule on the connections of all clients of a database. */
export const POOL_FITS_DATABASE: Rule<DatabaseDemand> = {
  id: 'pool-fits-database',
  description: 'All that connects to a database opens no more connections together than it takes.',
  validate: (database) => {
    const { demands } = database;
    const offered = connectionsOffered(database.connection) ?? Infinity;
    const total = sum(demands);
    if (total <= offered) {
      return [];
    }
    const factors = demands.map(({ by, factors }) => (demands.length === 1 ? factors : `${by.node.id}: ${factors}`));
    return [
      [
        `up to ${String(total)} connections (${factors.join('; ')}) exceed the ${String(offered)} that ${database.name} offers.`,
        hint(demands, database.connection.bypass !== undefined),
        ...largestThatFits(offered, demands),
        ...largestPoolSize(database),
      ].join(' '),
    ];
  },
};

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
  const jobs = servers.reduce((total, server) => total + (server.jobExecution ? server.pods * JOB_CONNECTIONS : 0), 0);
  const connections = offered - jobs - sum(demands.filter(({ server }) => server === undefined));
  const furtherEngines = Math.max(...servers.map((server) => server.furtherEngines));
  if (servers.length === 0 || pods * fewestConnectionsOfPod(workers, furtherEngines) > connections) {
    return [];
  }
  const usersInDatabase = furtherEngines > 0;
  const { poolSize, maxOverflow } = PoolingProfile.fitting({ connections, pods, workers, usersInDatabase });
  return [`The largest pool that fits is ${String(poolSize)} + ${String(maxOverflow)}.`];
}

function largestPoolSize(database: DatabaseDemand): string[] {
  const isPooled = database.demands.some(({ pooler }) => pooler !== undefined);
  const largest = isPooled ? database.largestPoolSize(() => true) : 0;
  return largest < 1 ? [] : [`The largest \`defaultPoolSize\` that fits is ${String(largest)}.`];
}

function sum(demands: readonly ConnectionDemand[]): number {
  return demands.reduce((total, { connections }) => total + connections, 0);
}
