import type { Problems } from '../../kube/problems';

/** PostgreSQL keeps these for superusers (superuser_reserved_connections). */
const RESERVED = 3;

/** Connections to the database that a pod of a pooler may open, where nothing says less. */
const ROOMY = 60;

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
  return budget.defaultPoolSize ?? Math.max(1, Math.min(ROOMY, largestPool(budget)));
}

/**
 * The pods of a pooler, the one that a rolling update adds included, open no more connections than the database takes.
 *
 * `at` is where the props are that decide on it.
 */
export function checkPoolBudget(problems: Problems, database: string, budget: PoolBudget, at = ''): void {
  const pool = poolSizeOf(budget) + budget.reservePoolSize;
  const ofPod = Math.min(pool, budget.maxDatabaseConnections ?? pool);
  const pods = budget.replicas + 1;
  const offered = offeredBy(budget);
  if (pods * ofPod <= offered) {
    return;
  }
  const largest = largestPool(budget);
  problems.say(
    `up to ${String(pods * ofPod)} connections (${String(pods)} pods x ${String(ofPod)}) exceed the ${String(offered)} that "${database}" offers.`,
    [
      `Lower \`${at}defaultPoolSize\`, \`${at}reservePoolSize\` or the number of pods, or raise \`maxConnections\` of the database.`,
      ...(largest < 1 ? [] : [`The largest \`${at}defaultPoolSize\` that fits is ${String(largest)}.`]),
    ].join(' '),
  );
}

function largestPool(budget: PoolBudget): number {
  return Math.floor(offeredBy(budget) / (budget.replicas + 1)) - budget.reservePoolSize;
}

function offeredBy({ maxConnections }: PoolBudget): number {
  return maxConnections === undefined ? Infinity : maxConnections - RESERVED;
}
