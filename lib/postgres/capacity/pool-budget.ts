import { counted } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import type { PostgresConnection, PostgresConnectionProps } from '../connection/postgres-connection';

import { type ConnectionDemand, connectionsOffered, MIGRATION_CONNECTIONS, type PoolerPods } from './database-demand';
import { PoolMode, type PoolerOptions } from './pooler-options';

const DEFAULT_POOL_SIZE = 60;

/** Resolved options of a pooler: the connections that its pods open and accept. */
export class PoolBudget {
  public readonly poolMode: PoolMode;
  public readonly reservePoolSize: number;
  public readonly maxClientConnections: number;

  private readonly offered: number;
  private shared?: () => number;

  public constructor(
    public readonly replicas: number,
    private readonly options: PoolerOptions & { readonly maxDatabaseConnections?: number },
    database: Pick<PostgresConnection, 'maxConnections' | 'bypass'>,
  ) {
    this.poolMode = options.poolMode ?? PoolMode.TRANSACTION;
    this.reservePoolSize = options.reservePoolSize ?? 0;
    this.maxClientConnections = options.maxClientConnections ?? 1000;
    // Migrations bypass every pooler, so they use no connections of a pooler behind this one.
    const migration = database.bypass === undefined ? MIGRATION_CONNECTIONS : 0;
    this.offered = (connectionsOffered(database.maxConnections, database.bypass !== undefined) ?? Infinity) - migration;
  }

  /** Makes the default size leave room for the other clients of the database, which `largest` considers. */
  public shareWith(largest: () => number): void {
    this.shared = largest;
  }

  /** The given size, or the largest up to 60 that fits the database. Final at the synthesis, when all its clients exist. */
  public get defaultPoolSize(): number {
    const largest = this.shared ?? (() => this.largestPool);
    return this.options.defaultPoolSize ?? Math.max(1, Math.min(DEFAULT_POOL_SIZE, largest()));
  }

  /** The most connections to the database that a pod opens. */
  public get serverConnections(): number {
    const pool = this.defaultPoolSize + this.reservePoolSize;
    return Math.min(pool, this.options.maxDatabaseConnections ?? pool);
  }

  /** The pods, for the demand on the database. */
  public get pods(): PoolerPods {
    const { replicas, reservePoolSize, options } = this;
    return { pods: replicas + 1, reservePoolSize, isFixed: options.defaultPoolSize !== undefined };
  }

  /** Demand of the pods on the database, including the pod that a rolling update adds. */
  public get demand(): Pick<ConnectionDemand, 'connections' | 'factors'> {
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
    const { poolMode, replicas, maxClientConnections } = this;
    const connections = (): number => this.serverConnections;
    return poolMode === PoolMode.SESSION
      ? {
          get maxConnections() {
            return connections();
          },
        }
      : {
          maxConnections: replicas * maxClientConnections,
          get serverConnections() {
            return connections();
          },
        };
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
