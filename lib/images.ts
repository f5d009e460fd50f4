/** Default images of the library's props. */
export const IMAGES = {
  /** Official image with all extras. The one without `-full` has no database driver. */
  mlflow: 'ghcr.io/mlflow/mlflow:v3.18.0-full',
  /**
   * Its tools work with servers of the same or an older version, so the newest works with most. Not pinned to a minor release:
   * pg_dump must know the catalogs of the newest servers (pg_dump 18.4 does not exclude 15.20's pg_attver).
   */
  postgres: 'docker.io/library/postgres:18-bookworm',
  pgBouncer: 'docker.io/edoburu/pgbouncer:v1.25.2-p0',
  pgBouncerExporter: 'docker.io/prometheuscommunity/pgbouncer-exporter:v0.11.0',
  cloudSqlProxy: 'gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.27.0',
  oauth2Proxy: 'quay.io/oauth2-proxy/oauth2-proxy:v7.15.6',
  /** An archived copy: the versioned images were removed from docker.io/bitnami in August 2025. */
  bitnamiPostgres: 'docker.io/bitnamilegacy/postgresql:17.6.0-debian-12-r4',
  postgresExporter: 'quay.io/prometheuscommunity/postgres-exporter:v0.18.1',
};

/** The default images of the library, for tools that mirror or scan them. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- jsii exports classes, no constants
export class DefaultImages {
  /** The images, by what they run: `mlflow`, `postgres` (the client tools), `pgBouncer`, `oauth2Proxy` and so on. */
  public static all(): Record<string, string> {
    return { ...IMAGES };
  }
}
