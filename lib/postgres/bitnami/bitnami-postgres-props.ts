import type * as kplus from 'cdk8s-plus-28';

import type { PodOptions } from '../../kube/pod/pod-options';
import type { IsolationOptions } from '../../kube/network/isolation';
import type { Persistence } from '../../kube/values/persistence';
import type { PostgresTls } from '../connection/postgres-tls';

import type { BitnamiArchitecture } from './bitnami-architecture';
import type { BitnamiPasswords } from './bitnami-passwords';

/** Props of {@link BitnamiPostgres}. */
export interface BitnamiPostgresProps extends PodOptions {
  /** The passwords of the roles, or the Secret that has them. */
  readonly passwords: BitnamiPasswords;

  /**
   * A role that is made for MLflow and owns the database.
   * @default 'postgres' - the superuser
   */
  readonly username?: string;

  /**
   * Name of the database, made at the first start.
   * @default 'mlflow'
   */
  readonly database?: string;

  /**
   * One server, or a primary with read replicas.
   * @default BitnamiArchitecture.standalone()
   */
  readonly architecture?: BitnamiArchitecture;

  /**
   * Where the data is kept. A new claim comes from the StatefulSet, so it stays when everything else is removed.
   * @default Persistence.newClaim()
   */
  readonly persistence?: Persistence;

  /**
   * Port of the Services.
   * @default 5432
   */
  readonly servicePort?: number;

  /**
   * How many connections the server accepts in all (`max_connections`); 3 of them are kept for superusers.
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
   * SQL scripts by file name (`10-extensions.sql`), run once after the database is made, in the order of their names.
   * @default - none
   */
  readonly initScripts?: Record<string, string>;

  /**
   * How the connection is encrypted. The image as it is configured here has no certificate.
   * @default PostgresTls.PREFER
   */
  readonly tls?: PostgresTls;

  /**
   * The image, by tag or digest, from any registry: one that follows the contract of Bitnami's `postgresql`.
   *
   * The default is the last free, versioned image. It is frozen and gets no more fixes: for production, use an image of
   * your own, a managed database or an operator.
   * @default 'docker.io/bitnamilegacy/postgresql:17.6.0-debian-12-r4'
   * @see https://github.com/bitnami/containers/issues/83267
   */
  readonly image?: string;

  /**
   * CPU, memory and temporary files of each server. Data is among these only with Persistence.none().
   * @default - requests 250 millicores, 256 MiB and 1 GiB of disk, limits 2 CPUs, 1 GiB and 20 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * Let the servers reach nothing but each other. A policy restricts their clients in any case.
   * @default - the servers may reach everything
   */
  readonly isolation?: IsolationOptions;
}
