import { counted } from '../../validation/checks';
import { addRule } from '../../validation/rule';
import type { PostgresConnection } from '../connection/postgres-connection';

import { connectionsOfPod, JOB_CONNECTIONS } from './connection-math';
import { type ConnectionDemand, DatabaseDemand, MIGRATION_CONNECTIONS, type ServerPods } from './database-demand';
import type { PoolBudget } from './pool-budget';
import { POOL_FITS_DATABASE } from './pool-fits-database';
import type { PoolingProfile } from './pooling-profile';
import { REQUESTS_FIT_POOLER } from './requests-fit-pooler';

/** Adds the connections of a construct to the demand on a database, and the rules on connections to the construct. */
export function addConnectionDemand(connection: PostgresConnection, demand: ConnectionDemand): void {
  const database = DatabaseDemand.of(connection);
  const isNew = !database.demands.some(({ by }) => by === demand.by);
  database.demands.push(demand);
  if (isNew) {
    addRule(demand.by, POOL_FITS_DATABASE, database);
    addRule(demand.by, REQUESTS_FIT_POOLER, database);
  }
}

/** Adds the connections of a pooler. Without a given size, its pool gets what the other clients leave. */
export function addPoolerDemand(connection: PostgresConnection, by: ConnectionDemand['by'], budget: PoolBudget): void {
  const database = DatabaseDemand.of(connection);
  addConnectionDemand(connection, {
    by,
    pooler: budget.pods,
    get connections() {
      return budget.demand.connections;
    },
    get factors() {
      return budget.demand.factors;
    },
  });
  budget.shareWith(() => database.largestPoolSize(({ isFixed }) => !isFixed));
}

/** Connections of a server: what they are computed from. */
export interface ServerDemand extends ServerPods, Pick<ConnectionDemand, 'by'> {
  readonly pooling: PoolingProfile;
  /** Whether the server migrates the schema. */
  readonly migrates: boolean;
}

/** Adds the connections of a server, and those of its migration. */
export function addServerDemand(connection: PostgresConnection, server: ServerDemand): void {
  const { by, pods, workers, threads, pooling, furtherEngines, jobExecution, migrates } = server;
  const ofPod = connectionsOfPod(pooling, workers, threads, furtherEngines) + (jobExecution ? JOB_CONNECTIONS : 0);
  const factors = `${counted(pods, 'pod')} x ${String(ofPod)} with ${counted(workers, 'worker')}${jobExecution ? ' and the job runner' : ''}`;
  addConnectionDemand(connection, { by, connections: pods * ofPod, factors, server });
  // A pod that migrates does not serve yet. So a migration adds connections only if it bypasses a pooler.
  if (migrates && connection.bypass !== undefined) {
    addMigrationDemand(connection.bypass, by);
  }
}

// Once for each database: its servers migrate one after another, under a lock.
function addMigrationDemand(database: PostgresConnection, by: ConnectionDemand['by']): void {
  const factors = `${String(MIGRATION_CONNECTIONS)} for the migration`;
  if (!DatabaseDemand.of(database).demands.some(({ migrationOf }) => migrationOf === database)) {
    addConnectionDemand(database, { by, connections: MIGRATION_CONNECTIONS, factors, migrationOf: database });
  }
}
