/** Names of the alerts of {@link MlflowMonitoring}. */
export enum MlflowAlert {
  /** Prometheus can scrape no pod of the server. */
  SERVER_DOWN = 'MlflowServerDown',
  /** Some pods of the server are not ready. */
  PODS_UNAVAILABLE = 'MlflowPodsUnavailable',
  /** The server's container restarts repeatedly. */
  PODS_RESTARTING = 'MlflowPodsRestarting',
  /** The server fails too many requests. */
  ERROR_RATIO = 'MlflowErrorRatio',
  /** The server answers too slowly. */
  LATENCY = 'MlflowLatency',
  /** Starting pods do not reach the database, or cannot migrate its schema; or the migration Job failed. */
  MIGRATION_FAILED = 'MlflowMigrationFailed',
  /** The server is near its limit of concurrent requests. Needs `postgresExporter`. */
  POOL_NEARLY_FULL = 'MlflowPoolNearlyFull',
  /** A volume is nearly full. Needs artifacts on a volume, or `volumeClaims`. */
  VOLUME_NEARLY_FULL = 'MlflowVolumeNearlyFull',
  /** The last successful backup is too old. Needs `backups`. */
  BACKUP_TOO_OLD = 'MlflowBackupTooOld',
  /** The last run of an operation did not succeed. Needs `operations`. */
  OPERATION_FAILED = 'MlflowOperationFailed',
  /** PostgreSQL does not let the exporter in. Needs `postgresExporter`. */
  DATABASE_DOWN = 'MlflowDatabaseDown',
  /** The exporter does not answer: it is gone, or it waits for PostgreSQL. Needs `postgresExporter`. */
  DATABASE_NOT_MONITORED = 'MlflowDatabaseNotMonitored',
  /** PostgreSQL is near its `max_connections`. Needs `postgresExporter`. */
  CONNECTIONS_NEARLY_USED_UP = 'MlflowConnectionsNearlyUsedUp',
}
