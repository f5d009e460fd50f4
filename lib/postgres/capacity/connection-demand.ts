import type { IConstruct } from 'constructs';

import type { PostgresConnection } from '../connection/postgres-connection';

/** PostgreSQL keeps these for superusers (superuser_reserved_connections). */
export const RESERVED_CONNECTIONS = 3;

/** A schema migration: the lock, the migration itself, and those who wait for the lock. */
export const MIGRATION_CONNECTIONS = 3;

/** The pods of a server, and what each of them does at once. */
export interface ServerPods {
  /** Pods at the most, the one that a rolling update adds included. */
  readonly pods: number;
  readonly workers: number;
  readonly threads: number;
  /** Engines of each worker for users, besides MLflow's own. */
  readonly furtherEngines: number;
}

/** Somebody who opens connections, and how many at the most. */
export interface ConnectionDemand {
  readonly by: IConstruct;
  readonly connections: number;
  /** How the number came about, such as `3 pods x 31`. */
  readonly factors: string;
  /** Of a server. */
  readonly server?: ServerPods;
}

const MIGRATED = new WeakSet<PostgresConnection>();

const DEMANDS = new WeakMap<PostgresConnection, ConnectionDemand[]>();

/** Notes who opens connections. Rules add them up when the app is synthesized. */
export function addConnectionDemand(connection: PostgresConnection, demand: ConnectionDemand): void {
  DEMANDS.set(connection, [...connectionDemandsOn(connection), demand]);
}

/** Notes a migration, once for each database: all servers on it take turns by one lock. */
export function addMigrationDemand(connection: PostgresConnection, by: IConstruct): void {
  if (!MIGRATED.has(connection)) {
    MIGRATED.add(connection);
    const factors = `${String(MIGRATION_CONNECTIONS)} for the migration`;
    addConnectionDemand(connection, { by, connections: MIGRATION_CONNECTIONS, factors });
  }
}

/** All who open connections there. */
export function connectionDemandsOn(connection: PostgresConnection): readonly ConnectionDemand[] {
  return DEMANDS.get(connection) ?? [];
}

/** The connections that there are for us, if it is known. A pooler reserves none. */
export function connectionsOffered({ maxConnections, bypass }: PostgresConnection): number | undefined {
  return maxConnections === undefined || bypass !== undefined ? maxConnections : maxConnections - RESERVED_CONNECTIONS;
}
