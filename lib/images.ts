/** The images that are used where none is given, all in one place for those who mirror or scan them. */
export const IMAGES = {
  /** The official image with all extras: the one without `-full` has no database driver. */
  mlflow: 'ghcr.io/mlflow/mlflow:v3.17.2-full',
  /**
   * Its tools read servers of their own version and older ones, so the newest serves most. Not pinned to a minor release:
   * pg_dump has to know what the newest ones write into their catalogs (pg_dump 18.4 does not leave out 15.20's pg_attver).
   */
  postgres: 'docker.io/library/postgres:18-bookworm',
  pgBouncer: 'docker.io/edoburu/pgbouncer:v1.25.2-p0',
  pgBouncerExporter: 'docker.io/prometheuscommunity/pgbouncer-exporter:v0.11.0',
  cloudSqlProxy: 'gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.27.0',
  oauth2Proxy: 'quay.io/oauth2-proxy/oauth2-proxy:v7.15.6',
  /** A frozen copy: the versioned images left docker.io/bitnami in August 2025. */
  bitnamiPostgres: 'docker.io/bitnamilegacy/postgresql:17.6.0-debian-12-r4',
  postgresExporter: 'quay.io/prometheuscommunity/postgres-exporter:v0.18.1',
};
