import { counted } from '../../validation/counted';
import type { Problems } from '../../validation/problems';
import { type ConnectionDemand, MIGRATION_CONNECTIONS, RESERVED_CONNECTIONS } from './connection-demand';
import type { PostgresConnectionProps } from '../connection/postgres-connection';

import { PoolMode } from './pool-mode';

/** Connections to the database that a pod of a pooler may open, where nothing says less. */
const DEFAULT_POOL_SIZE = 60;

/** What decides how many connections a pooler opens to its database. */
export interface PoolBudget {
  readonly replicas: number;
  readonly defaultPoolSize: number | undefined;
  readonly reservePoolSize: number;
  readonly maxDatabaseConnections?: number;
  /** `max_connections` of the database, where that is known. */
  readonly maxConnections: number | undefined;
}

/** The size that was given, or the largest up to 60 that fits the database. */
export function poolSizeOf(budget: PoolBudget): number {
  return budget.defaultPoolSize ?? Math.max(1, Math.min(DEFAULT_POOL_SIZE, largestPool(budget)));
}

/**
 * The pods of a pooler, the one that a rolling update adds included, open no more connections than the database takes.
 *
 * `at` is where the props are that decide on it.
 */
export function checkPoolBudget(problems: Problems, database: string, budget: PoolBudget, at = ''): void {
  const { connections, factors } = poolerDemand(budget);
  const offered = offeredBy(budget);
  if (connections <= offered) {
    return;
  }
  const largest = largestPool(budget);
  problems.say(
    `up to ${String(connections)} connections (${factors}) exceed the ${String(offered)} that "${database}" offers besides a migration.`,
    [
      `Lower \`${at}defaultPoolSize\`, \`${at}reservePoolSize\` or the number of pods, or raise \`maxConnections\` of the database.`,
      ...(largest < 1 ? [] : [`The largest \`${at}defaultPoolSize\` that fits is ${String(largest)}.`]),
    ].join(' '),
  );
}

/** What the pods of a pooler take of the database, the one that a rolling update adds included. */
export function poolerDemand(budget: PoolBudget): Omit<ConnectionDemand, 'by'> {
  const pods = budget.replicas + 1;
  const ofPod = connectionsOfPooler(budget);
  return { connections: pods * ofPod, factors: `${counted(pods, 'pod')} x ${String(ofPod)}` };
}

function connectionsOfPooler(budget: PoolBudget): number {
  const pool = poolSizeOf(budget) + budget.reservePoolSize;
  return Math.min(pool, budget.maxDatabaseConnections ?? pool);
}

/**
 * What a server that connects to a pooler may count on: in session mode a client keeps what it once got.
 *
 * Each pod of the pooler counts alone, since all clients can come to be on one of them.
 */
export function offerOf(
  budget: PoolBudget,
  mode: PoolMode | undefined,
  maxClientConnections: number,
): Pick<PostgresConnectionProps, 'maxConnections' | 'serverConnections'> {
  const serverConnections = connectionsOfPooler(budget);
  return mode === PoolMode.SESSION
    ? { maxConnections: serverConnections }
    : { maxConnections: budget.replicas * maxClientConnections, serverConnections };
}

function largestPool(budget: PoolBudget): number {
  return Math.floor(offeredBy(budget) / (budget.replicas + 1)) - budget.reservePoolSize;
}

function offeredBy({ maxConnections }: PoolBudget): number {
  return maxConnections === undefined ? Infinity : maxConnections - RESERVED_CONNECTIONS - MIGRATION_CONNECTIONS;
}
