import type { Size } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import type { PoolerOptions } from '../capacity/pooler-options';
import type { ConnectionOptions } from '../connection/connection-options';
import type { PostgresTls } from '../connection/postgres-tls';

/** Options of a volume of each instance. */
export interface CloudNativeStorageOptions {
  /**
   * Size of the volume, whole GiB.
   * @default Size.gibibytes(10)
   */
  readonly size?: Size;

  /**
   * The storage class. An empty one is for volumes that exist.
   * @default - the default class of the cluster
   * @mayBeEmpty
   */
  readonly storageClassName?: string;
}

/**
 * A plugin of the operator, such as the one for backups.
 *
 * @see https://cloudnative-pg.io/plugin-barman-cloud/docs/usage/
 */
export interface CloudNativePluginOptions {
  /** Name of the plugin: `barman-cloud.cloudnative-pg.io` for backups to object stores. */
  readonly name: string;

  /**
   * Whether the plugin archives the write-ahead log, which point-in-time recovery needs. At most one plugin does.
   * @default false
   */
  readonly isWalArchiver?: boolean;

  /**
   * Parameters of the plugin. The one for backups needs `barmanObjectName`, the name of an `ObjectStore`.
   * @default - none
   */
  readonly parameters?: Record<string, string>;
}

/**
 * Options of the operator's PgBouncer in front of the cluster.
 *
 * @see https://cloudnative-pg.io/docs/1.30/connection_pooling
 */
export interface CloudNativePoolerOptions extends PoolerOptions {
  /**
   * Number of pods, spread over nodes and zones.
   * @default 2
   */
  readonly instances?: number;

  /**
   * Further settings of PgBouncer, by name. The operator accepts only some.
   * @default - the operator's own, but for query_wait_timeout (30 s), server_login_retry (0.5 s) and server_connect_timeout (5 s)
   */
  readonly settings?: Record<string, string>;

  /**
   * CPU and memory of each pod.
   * @default - requests 100 millicores and 64 MiB, limits 1 CPU and 256 MiB
   */
  readonly resources?: kplus.ContainerResources;
}

/** Props of {@link CloudNativePostgres}. */
export interface CloudNativePostgresProps extends ConnectionOptions {
  /**
   * Number of PostgreSQL servers: a primary and its standbys. If the primary fails, a standby takes over.
   * @default 3
   */
  readonly instances?: number;

  /**
   * Volume of the data.
   * @default - 10 GiB of the default class
   */
  readonly storage?: CloudNativeStorageOptions;

  /**
   * Separate volume of the write-ahead log. It cannot be removed later.
   * @default - the volume of the data
   */
  readonly walStorage?: CloudNativeStorageOptions;

  /**
   * Name of the database, which the operator makes.
   * @default 'mlflow'
   */
  readonly database?: string;

  /**
   * PostgreSQL role of MLflow, which owns the database. The operator generates its password.
   * @default 'mlflow'
   */
  readonly owner?: string;

  /**
   * Connection limit of the primary (`max_connections`), 3 of which are reserved for superusers.
   * @default 100
   */
  readonly maxConnections?: number;

  /**
   * Further settings of `postgresql.conf`, by name. The operator refuses those that it sets itself.
   * @default - the operator's own
   * @see https://cloudnative-pg.io/docs/1.30/postgresql_conf
   */
  readonly settings?: Record<string, string>;

  /**
   * Image of PostgreSQL, one of the operator's, by a tag that begins with the version of PostgreSQL; a digest may follow.
   * @default - the operator's own: the newest PostgreSQL at the release of the operator
   */
  readonly imageName?: string;

  /**
   * Names of the Secrets with logins to image registries.
   * @default - none
   */
  readonly imagePullSecrets?: string[];

  /**
   * CPU and memory of each server.
   * @default - requests 250 millicores and 512 MiB, limits 2 CPUs and 1 GiB
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * Plugins of the operator, which make backups since version 1.26.
   * @default - none: no backups
   */
  readonly plugins?: CloudNativePluginOptions[];

  /**
   * PgBouncer in front of the cluster. Schema migrations bypass it.
   * @default - none
   */
  readonly pooler?: CloudNativePoolerOptions;

  /**
   * Encryption of the connection. The operator makes a CA for each cluster, and certificates for its Services.
   * @default - verify-full with the CA of the cluster
   */
  readonly tls?: PostgresTls;
}
