/** The images that are used where none is given, all in one place for those who mirror or scan them. */
export const IMAGES = {
  /** The official image with all extras: the one without `-full` has no database driver. */
  mlflow: 'ghcr.io/mlflow/mlflow:v3.17.2-full',
  pgBouncer: 'docker.io/edoburu/pgbouncer:v1.25.2-p0',
  oauth2Proxy: 'quay.io/oauth2-proxy/oauth2-proxy:v7.15.6',
  /** A frozen copy: the versioned images left docker.io/bitnami in August 2025. */
  bitnamiPostgres: 'docker.io/bitnamilegacy/postgresql:17.6.0-debian-12-r4',
};
