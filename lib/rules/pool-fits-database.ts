import { type ConnectionDemand, connectionDemandsOn, connectionsOffered } from '../postgres/capacity/connection-demand';
import { fewestConnectionsOfPod } from '../postgres/capacity/connection-math';
import { PoolingProfile } from '../postgres/capacity/pooling-profile';
import type { PostgresConnection } from '../postgres/connection/postgres-connection';

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
      hint(demands),
      ...largestThatFits(offered, demands),
    ].join(' '),
  ];
}

function hint(demands: readonly ConnectionDemand[]): string {
  return demands.some(({ server }) => server !== undefined)
    ? 'Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between.'
    : 'Lower `defaultPoolSize` of the pooler, or raise `maxConnections` of the database.';
}

function largestThatFits(offered: number, demands: readonly ConnectionDemand[]): string[] {
  const servers = demands.flatMap(({ server }) => server ?? []);
  const pods = servers.reduce((total, server) => total + server.pods, 0);
  const workers = Math.max(...servers.map((server) => server.workers));
  const connections = offered - sum(demands.filter(({ server }) => server === undefined));
  const furtherEngines = Math.max(...servers.map((server) => server.furtherEngines));
  if (servers.length === 0 || pods * fewestConnectionsOfPod(workers, furtherEngines) > connections) {
    return [];
  }
  const usersInDatabase = furtherEngines > 0;
  const { poolSize, maxOverflow } = PoolingProfile.fitting({ connections, pods, workers, usersInDatabase });
  return [`The largest pool that fits is ${String(poolSize)} + ${String(maxOverflow)}.`];
}

function sum(demands: readonly ConnectionDemand[]): number {
  return demands.reduce((total, { connections }) => total + connections, 0);
}
