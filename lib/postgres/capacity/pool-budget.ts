import { counted } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import type { PostgresConnection, PostgresConnectionProps } from '../connection/postgres-connection';

import { type ConnectionDemand, connectionsOffered, MIGRATION_CONNECTIONS } from './database-demand';
import { PoolMode, type PoolerOptions } from './pooler-options';

const DEFAULT_POOL_SIZE = 60;

/** Resolved options of a pooler: the connections that its pods open and accept. */
export class PoolBudget {
  public readonly poolMode: PoolMode;
  /** The given size, or the largest up to 60 that fits the database. */
  public readonly defaultPoolSize: number;
  public readonly reservePoolSize: number;
  public readonly maxClientConnections: number;
  /** The most connections to the database that a pod opens. */
  public readonly serverConnections: number;

  private readonly offered: number;

  public constructor(
    public readonly replicas: number,
    options: PoolerOptions & { readonly maxDatabaseConnections?: number },
    database: Pick<PostgresConnection, 'maxConnections' | 'bypass'>,
  ) {
    this.poolMode = options.poolMode ?? PoolMode.TRANSACTION;
    this.reservePoolSize = options.reservePoolSize ?? 0;
    this.maxClientConnections = options.maxClientConnections ?? 1000;
    // Migrations bypass every pooler, so they use no connections of a pooler behind this one.
    const migration = database.bypass === undefined ? MIGRATION_CONNECTIONS : 0;
    this.offered = (connectionsOffered(database) ?? Infinity) - migration;
    this.defaultPoolSize = options.defaultPoolSize ?? Math.max(1, Math.min(DEFAULT_POOL_SIZE, this.largestPool));
    const pool = this.defaultPoolSize + this.reservePoolSize;
    this.serverConnections = Math.min(pool, options.maxDatabaseConnections ?? pool);
  }

  /** Demand of the pods on the database, including the pod that a rolling update adds. */
  public get demand(): Omit<ConnectionDemand, 'by'> {
    const pods = this.replicas + 1;
    return {
      connections: pods * this.serverConnections,
      factors: `${counted(pods, 'pod')} x ${String(this.serverConnections)}`,
    };
  }

  /**
   * Limits for the clients of the pooler. In session mode, a client keeps its connection to the database.
   *
   * They are those of one pod, since all clients can be connected to the same pod.
   */
  public get offer(): Pick<PostgresConnectionProps, 'maxConnections' | 'serverConnections'> {
    const { poolMode, replicas, maxClientConnections, serverConnections } = this;
    return poolMode === PoolMode.SESSION
      ? { maxConnections: serverConnections }
      : { maxConnections: replicas * maxClientConnections, serverConnections };
  }

  /** Validates that the database accepts all connections of the pods. `at` is the prefix of the options, as in `checkPoolerOptions`. */
  public check(problems: Problems, database: string, at = ''): void {
    const { connections, factors } = this.demand;
    // Not the other way round: a number that is NaN has an error of its own.
    if (connections > this.offered) {
      problems.say(
        `up to ${String(connections)} connections (${factors}) exceed the ${String(this.offered)} that "${database}" offers besides a migration.`,
        [
          `Lower \`${at}defaultPoolSize\`, \`${at}reservePoolSize\` or the number of pods, or raise \`maxConnections\` of the database.`,
          ...(this.largestPool < 1
            ? []
            : [`The largest \`${at}defaultPoolSize\` that fits is ${String(this.largestPool)}.`]),
        ].join(' '),
      );
    }
  }

  private get largestPool(): number {
    return Math.floor(this.offered / (this.replicas + 1)) - this.reservePoolSize;
  }
}
