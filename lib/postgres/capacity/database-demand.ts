import type { Construct, IConstruct } from 'constructs';

import type { RuleSubject } from '../../validation/rule';
import type { PostgresConnection } from '../connection/postgres-connection';

/** Connections that PostgreSQL reserves for superusers (`superuser_reserved_connections`). */
const RESERVED_CONNECTIONS = 3;

/** Connections of a schema migration: the lock, the migration itself, and those that wait for the lock. */
export const MIGRATION_CONNECTIONS = 3;

/** Pods, workers and threads of a server. */
export interface ServerPods {
  /** Most pods, including the one that a rolling update adds. */
  readonly pods: number;
  readonly workers: number;
  readonly threads: number;
  /** Engines of each worker for the user database, besides MLflow's own. */
  readonly furtherEngines: number;
  /** Whether each pod runs jobs, in processes with connections of their own. */
  readonly jobExecution: boolean;
}

/** Pods of a pooler. */
export interface PoolerPods {
  /** Most pods, including the one that a rolling update adds. */
  readonly pods: number;
  readonly reservePoolSize: number;
  /** Whether its pool has a given size. Otherwise it gets what the other clients leave. */
  readonly isFixed: boolean;
}

/** The most connections that a construct opens. */
export interface ConnectionDemand {
  readonly by: Construct;
  readonly connections: number;
  /** Computation of the number for errors, such as `3 pods x 31`. */
  readonly factors: string;
  /** Pods of the server, if the construct is a server. */
  readonly server?: ServerPods;
  /** Pods of the pooler, if the construct is a pooler. */
  readonly pooler?: PoolerPods;
  /** The database, if these are the connections of its migration. */
  readonly migrationOf?: PostgresConnection;
}

const DATABASES = new WeakMap<PostgresConnection, DatabaseDemand>();

/** A database or a pooler, and all its clients: the subject of the rules on connections. */
export class DatabaseDemand implements RuleSubject {
  /** The demand on the database of a connection. */
  public static of(connection: PostgresConnection): DatabaseDemand {
    const database = DATABASES.get(connection) ?? new DatabaseDemand(connection);
    DATABASES.set(connection, database);
    return database;
  }

  /** Counts the clients of a further database of a server with those of another: they share the limit of the server. */
  public static share(connection: PostgresConnection, other: PostgresConnection): void {
    DATABASES.set(connection, DatabaseDemand.of(other));
  }

  public readonly demands: ConnectionDemand[] = [];

  private constructor(public readonly connection: PostgresConnection) {}

  /** Servers come last, so that errors name one: their props determine most connections. */
  public get constructs(): IConstruct[] {
    const others = this.demands.filter(({ server }) => server === undefined);
    const servers = this.demands.filter(({ server }) => server !== undefined);
    return [...this.backends(), ...this.poolers(), ...[...others, ...servers].map(({ by }) => by)];
  }

  /** The largest `defaultPoolSize` of the poolers whose other clients fit, too, besides a migration. */
  public largestPoolSize(poolers: (pooler: PoolerPods) => boolean): number {
    const { maxConnections, bypass } = this.connection;
    // Migrations bypass every pooler, so they use no connections of a pooler behind this one.
    const migrations = Math.max(1, this.demands.filter(({ migrationOf }) => migrationOf !== undefined).length);
    const migration = bypass === undefined ? migrations * MIGRATION_CONNECTIONS : 0;
    let connections = (connectionsOffered({ maxConnections, bypass }) ?? Infinity) - migration;
    let pods = 0;
    for (const demand of this.demands) {
      if (demand.pooler !== undefined && poolers(demand.pooler)) {
        pods += demand.pooler.pods;
        connections -= demand.pooler.pods * demand.pooler.reservePoolSize;
      } else if (demand.migrationOf === undefined) {
        connections -= demand.connections;
      }
    }
    return Math.floor(connections / pods);
  }

  /** The database in words, for errors. */
  public get name(): string {
    const [backend] = this.backends();
    if (backend !== undefined) {
      return `"${backend.node.id}"`;
    }
    const [pooler] = this.poolers();
    return pooler === undefined ? 'the database' : `the database behind "${pooler.node.id}"`;
  }

  private backends(): IConstruct[] {
    return this.constructsWith((connection) => connection === this.connection);
  }

  private poolers(): IConstruct[] {
    return this.constructsWith((connection) => connection?.bypass === this.connection);
  }

  // A connection is a value. This finds the constructs that have it in the construct tree.
  private constructsWith(matches: (connection: Partial<PostgresConnection> | undefined) => boolean): IConstruct[] {
    const all = this.demands[0]?.by.node.root.node.findAll() ?? [];
    return all.filter((each) => matches((each as { connection?: PostgresConnection }).connection));
  }
}

/** Connections for clients, if the limit is known. A pooler reserves none. */
export function connectionsOffered({
  maxConnections,
  bypass,
}: Pick<PostgresConnection, 'maxConnections' | 'bypass'>): number | undefined {
  return maxConnections === undefined || bypass !== undefined ? maxConnections : maxConnections - RESERVED_CONNECTIONS;
}
