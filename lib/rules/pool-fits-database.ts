import { type ConnectionDemand, connectionDemandsOn, connectionsOffered } from '../postgres/connection-demand';
import { PoolingProfile } from '../postgres/pooling-profile';
import type { PostgresConnection } from '../postgres/postgres-connection';

/** The id of the rule, for those who acknowledge it. */
export const POOL_FITS_DATABASE = 'pool-fits-database';

/** Rule: all who connect to a database open no more connections together than it takes. */
export function poolFitsDatabase(connection: PostgresConnection, database: string): string[] {
  const demands = connectionDemandsOn(connection);
  const offered = connectionsOffered(connection) ?? Infinity;
  const total = sum(demands);
  if (total <= offered) {
    return [];
  }
  const factors = demands.map(({ by, factors }) => (demands.length === 1 ? factors : `${by.node.id}: ${factors}`));
  return [
    [
      `up to ${String(total)} connections (${factors.join('; ')}) exceed the ${String(offered)} that ${database} offers.`,
      wayOut(demands),
      ...largestThatFits(offered, demands),
    ].join(' '),
  ];
}

function wayOut(demands: readonly ConnectionDemand[]): string {
  return demands.some(({ server }) => server !== undefined)
    ? 'Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between.'
    : 'Lower `defaultPoolSize` of the pooler, or raise `maxConnections` of the database.';
}

function largestThatFits(offered: number, demands: readonly ConnectionDemand[]): string[] {
  const servers = demands.flatMap(({ server }) => server ?? []);
  const pods = servers.reduce((total, server) => total + server.pods, 0);
  const workers = Math.max(...servers.map((server) => server.workers));
  const connections = offered - sum(demands.filter(({ server }) => server === undefined));
  // The smallest pool of all is one connection kept and one on demand, in two engines of each worker.
  if (servers.length === 0 || pods * (2 + workers * 3) > connections) {
    return [];
  }
  const { poolSize, maxOverflow } = PoolingProfile.fitting({ connections, pods, workers });
  return [`The largest pool that fits is ${String(poolSize)} + ${String(maxOverflow)}.`];
}

function sum(demands: readonly ConnectionDemand[]): number {
  return demands.reduce((total, { connections }) => total + connections, 0);
}
