/** The alerts that {@link MlflowMonitoring} makes, by name. */
export enum MlflowAlert {
  /** No pod of the server answers Prometheus. */
  SERVER_DOWN = 'MlflowServerDown',
  /** Some pods of the server are not ready. */
  PODS_UNAVAILABLE = 'MlflowPodsUnavailable',
  /** The server's container restarts again and again. */
  PODS_RESTARTING = 'MlflowPodsRestarting',
  /** The server fails too many requests. */
  ERROR_RATIO = 'MlflowErrorRatio',
  /** The server answers too slowly. */
  LATENCY = 'MlflowLatency',
  /** The schema of the database could not be migrated. */
  MIGRATION_FAILED = 'MlflowMigrationFailed',
  /** The server works on nearly as many requests as it can. Needs `postgresExporter`. */
  POOL_NEARLY_FULL = 'MlflowPoolNearlyFull',
  /** A volume is nearly full. Needs a volume: of the server, or one of `volumeClaims`. */
  VOLUME_NEARLY_FULL = 'MlflowVolumeNearlyFull',
  /** The last good backup is too old. Needs `backups`. */
  BACKUP_TOO_OLD = 'MlflowBackupTooOld',
  /** The database does not let the exporter in. Needs `postgresExporter`. */
  DATABASE_DOWN = 'MlflowDatabaseDown',
  /** PostgreSQL has nearly as many connections as it takes. Needs `postgresExporter`. */
  CONNECTIONS_NEARLY_USED_UP = 'MlflowConnectionsNearlyUsedUp',
}
