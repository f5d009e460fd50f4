import type * as kplus from 'cdk8s-plus-28';

import type { PodOptions } from '../../kube/pod/pod-options';
import type { IsolationOptions } from '../../kube/network/isolation';
import type { Persistence } from '../../kube/values/persistence';
import type { ConnectionOptions } from '../connection/connection-options';
import type { PostgresTls } from '../connection/postgres-tls';

import type { BitnamiArchitecture } from './bitnami-architecture';
import type { BitnamiPasswords } from './bitnami-passwords';

/** Props of {@link BitnamiPostgres}. */
export interface BitnamiPostgresProps extends PodOptions, ConnectionOptions {
  /**
   * Passwords of the roles: in plain text, or in a Secret. The image sets them at the first start; a change has to be made in PostgreSQL
   * first, as docs/databases.md says.
   */
  readonly passwords: BitnamiPasswords;

  /**
   * PostgreSQL role of MLflow, which owns the database. The image makes it at the first start.
   * @default 'postgres' - the superuser
   */
  readonly username?: string;

  /**
   * Name of the database, which the image makes at the first start.
   * @default 'mlflow'
   */
  readonly database?: string;

  /**
   * One server, or a primary with read replicas.
   * @default BitnamiArchitecture.standalone()
   */
  readonly architecture?: BitnamiArchitecture;

  /**
   * Storage of the data. A new claim comes from the StatefulSet, so Kubernetes keeps it when everything else is removed, and refuses
   * another size: docs/databases.md says how it grows.
   * @default Persistence.newClaim()
   */
  readonly persistence?: Persistence;

  /**
   * Port of the Services.
   * @default 5432
   */
  readonly servicePort?: number;

  /**
   * Connection limit of the server (`max_connections`), 3 of which are reserved for superusers.
   * @default 100
   */
  readonly maxConnections?: number;

  /**
   * Further settings of `postgresql.conf`, by name.
   * @default - PostgreSQL's own
   * @see https://www.postgresql.org/docs/current/runtime-config.html
   */
  readonly settings?: Record<string, string>;

  /**
   * SQL scripts by file name (`10-extensions.sql`). The image runs them once, after it has made the database, in the order of their
   * names.
   * @default - none
   */
  readonly initScripts?: Record<string, string>;

  /**
   * Encryption of the connection. The server has no certificate.
   * @default PostgresTls.PREFER
   */
  readonly tls?: PostgresTls;

  /**
   * Image of the servers, by tag or digest, with the interface of Bitnami's `postgresql`.
   *
   * The default is the last versioned image that is free. It gets no more fixes: for production, use an image of your own, a
   * managed database or an operator.
   * @default 'docker.io/bitnamilegacy/postgresql:17.6.0-debian-12-r4'
   * @see https://github.com/bitnami/containers/issues/83267
   */
  readonly image?: string;

  /**
   * CPU, memory and disk for temporary files of each server. With Persistence.none(), the disk also holds the data.
   * @default - requests 250 millicores, 256 MiB and 1 GiB of disk, limits 2 CPUs, 1 GiB and 20 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * Isolate the servers: they connect only to each other. A NetworkPolicy restricts their clients in any case.
   * @default - the servers may connect to every address
   */
  readonly isolation?: IsolationOptions;
}
