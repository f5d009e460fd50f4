import type { IConstruct } from 'constructs';

import { counted } from '../../validation/checks';
import { addRule } from '../../validation/rule';
import type { PostgresConnection } from '../connection/postgres-connection';

import { connectionsOfJobs, connectionsOfPod } from './connection-math';
import { type ConnectionDemand, DatabaseDemand, MIGRATION_CONNECTIONS, type ServerPods } from './database-demand';
import type { PoolBudget } from './pool-budget';
import { POOL_FITS_DATABASE } from './pool-fits-database';
import type { PoolingProfile } from './pooling-profile';
import { REQUESTS_FIT_POOLER } from './requests-fit-pooler';

/** The connections that each construct has rules for. */
const CONNECTED = new WeakMap<IConstruct, Set<PostgresConnection>>();

/** Adds the connections of a construct to the demand on a server, and the rules on connections to the construct. */
export function addConnectionDemand(demand: ConnectionDemand): void {
  const { by, connection } = demand;
  const connected = CONNECTED.get(by) ?? new Set();
  DatabaseDemand.of(connection, by).add(demand);
  if (!connected.has(connection)) {
    CONNECTED.set(by, connected.add(connection));
    // Looked up at the synthesis: a connection that comes later can show that two servers are one.
    const server = (): DatabaseDemand => DatabaseDemand.known(connection, by);
    addRule(by, POOL_FITS_DATABASE, server);
    addRule(by, REQUESTS_FIT_POOLER, () => server().poolOf(connection));
  }
}

/** Adds the connections of a pooler. Without a given size, its pool gets what the other clients leave. */
export function addPoolerDemand(connection: PostgresConnection, by: ConnectionDemand['by'], budget: PoolBudget): void {
  addConnectionDemand({
    by,
    connection,
    pooler: budget.pods,
    get connections() {
      return budget.demand.connections;
    },
    get factors() {
      return budget.demand.factors;
    },
  });
  budget.shareWith(() => DatabaseDemand.of(connection, by).largestPoolSize(({ isFixed }) => !isFixed));
}

/** Connections of a server: what they are computed from. */
export interface ServerDemand extends ServerPods, Pick<ConnectionDemand, 'by' | 'connection'> {
  readonly pooling: PoolingProfile;
  /** Whether the server migrates the schema. */
  readonly migrates: boolean;
}

/** Adds the connections of a server, and those of its migration. */
export function addServerDemand(server: ServerDemand): void {
  const { by, connection, pods, workers, threads, pooling, furtherEngines, jobs, migrates } = server;
  const ofPod = connectionsOfPod(pooling, workers, threads, furtherEngines) + connectionsOfJobs(jobs);
  const factors = `${counted(pods, 'pod')} x ${String(ofPod)} with ${counted(workers, 'worker')}${jobs > 0 ? ` and ${counted(jobs, 'job')}` : ''}`;
  addConnectionDemand({ by, connection, connections: pods * ofPod, factors, server });
  // A pod that migrates does not serve yet. So a migration adds connections only if it bypasses a pooler.
  if (migrates && connection.bypass !== undefined) {
    addMigrationDemand(connection.bypass, by);
  }
}

// Once for each database: its servers migrate one after another, under a lock.
function addMigrationDemand(connection: PostgresConnection, by: ConnectionDemand['by']): void {
  const factors = `${String(MIGRATION_CONNECTIONS)} for the migration`;
  const { demands } = DatabaseDemand.of(connection, by);
  if (!demands.some((demand) => demand.isMigration === true && demand.connection === connection)) {
    addConnectionDemand({ by, connection, connections: MIGRATION_CONNECTIONS, factors, isMigration: true });
  }
}
