import type { Duration, Size } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import type { PoolerOptions } from '../capacity/pooler-options';
import type { ConnectionOptions } from '../connection/connection-options';
import type { PostgresTls } from '../connection/postgres-tls';
import type { SchemaOptions } from '../connection/schema';

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

/** What the primary does while too few standbys acknowledge. */
export enum CloudNativeDurability {
  /** Writes wait until a standby is back. Choose it if no acknowledged point may be lost. */
  REQUIRED = 'required',
  /** Writes go on with the standbys that are left, or none: what they acknowledge can be lost with the primary. */
  PREFERRED = 'preferred',
}

/**
 * Options of synchronous replication.
 *
 * @see https://cloudnative-pg.io/docs/1.30/replication#synchronous-replication
 */
export interface CloudNativeSynchronousOptions {
  /**
   * Number of standbys, whichever they are, that have to acknowledge a transaction. It must be less than `instances`.
   * @default 1
   */
  readonly standbys?: number;

  /**
   * What the primary does while too few standbys acknowledge.
   * @default CloudNativeDurability.REQUIRED
   */
  readonly durability?: CloudNativeDurability;
}

/** Options of the PodMonitor of a cluster. */
export interface CloudNativePodMonitorOptions {
  /**
   * Further labels of the PodMonitor, by which Prometheus selects it, such as `{ release: 'prometheus' }`.
   * @default - none
   */
  readonly labels?: Record<string, string>;

  /**
   * Time between two scrapes, in whole seconds.
   * @default Duration.seconds(30)
   */
  readonly interval?: Duration;
}

/** Options of a further database of a cluster. */
export interface CloudNativeDatabaseOptions extends SchemaOptions {
  /**
   * Name of the database, which the operator makes. If it is removed from the app, the database stays.
   * @default - the id
   */
  readonly database?: string;

  /**
   * PostgreSQL role that owns the database, which the operator makes. Each database has a role of its own.
   * @default - the name of the database
   */
  readonly owner?: string;

  /**
   * Name of the Secret with the login of the owner: the keys `username`, which must be the owner, and `password`. With the label
   * `cnpg.io/reload: "true"`, the operator takes a changed password at once. It makes no password for these roles.
   */
  readonly secretName: string;
}

/** Props of {@link CloudNativePostgres}. */
export interface CloudNativePostgresProps extends ConnectionOptions {
  /**
   * Number of PostgreSQL servers: a primary and its standbys. If the primary fails, a standby takes over. What was acknowledged last
   * can be lost with the node of the primary, unless there is `synchronousReplication`.
   * @default 3
   */
  readonly instances?: number;

  /**
   * Volume of the data.
   * @default - 10 GiB of the default class
   */
  readonly storage?: CloudNativeStorageOptions;

  /**
   * Standbys that have to acknowledge each transaction. After the loss of the primary, the operator then promotes only where a standby
   * must have them all. With `REQUIRED`, writes wait while too few standbys run: have one more than acknowledge.
   * @default - asynchronous replication: the primary does not wait
   */
  readonly synchronousReplication?: CloudNativeSynchronousOptions;

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
   * Whether the superuser `postgres` has a password, in the Secret `<id>-superuser`, which the operator makes: for a
   * `DatabaseBootstrap`, for example.
   * @default false
   */
  readonly enableSuperuserAccess?: boolean;

  /**
   * A PodMonitor of the Prometheus operator for the operator's own metrics, of all servers and of the pooler.
   * @default - none
   */
  readonly podMonitor?: CloudNativePodMonitorOptions;

  /**
   * Encryption of the connection. The operator makes a CA for each cluster, and certificates for its Services.
   * @default - verify-full with the CA of the cluster
   */
  readonly tls?: PostgresTls;
}
