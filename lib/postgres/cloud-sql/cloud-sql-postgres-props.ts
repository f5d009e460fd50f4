import type * as kplus from 'cdk8s-plus-28';

import type { GoogleIdentity } from '../../identity/google-identity';
import type { NetworkRoute } from '../../kube/network/network-route';

import type { LibpqOptions } from '../connection/connection-options';

import type { CloudSqlLogin } from './cloud-sql-login';

/** Kind of address that the proxy connects to. */
export enum CloudSqlIpType {
  /** The public IP. */
  PUBLIC = 'public',
  /** The private IP. Choose it where the cluster is in the VPC network of the instance. */
  PRIVATE = 'private',
  /** An endpoint of Private Service Connect. */
  PSC = 'psc',
}

/** Props of {@link CloudSqlPostgres}. */
export interface CloudSqlPostgresProps extends LibpqOptions {
  /** Connection name of the instance, `project:region:instance`, as `gcloud sql instances describe` shows it (`connectionName`). */
  readonly instanceConnectionName: string;

  /** Login of MLflow in PostgreSQL. */
  readonly login: CloudSqlLogin;

  /**
   * Identity of the proxy. It needs the role `roles/cloudsql.client`.
   * @default GoogleIdentity.ambient()
   */
  readonly identity?: GoogleIdentity;

  /**
   * Name of the database. It must exist. The user needs CREATE on its schema, which its owner has.
   * @default 'mlflow'
   */
  readonly database?: string;

  /**
   * Kind of address that the proxy connects to.
   * @default CloudSqlIpType.PUBLIC
   */
  readonly ipType?: CloudSqlIpType;

  /**
   * Connection limit of the instance (`SHOW max_connections`), which depends on its memory.
   * @default - unknown: no check that all connections fit
   */
  readonly maxConnections?: number;

  /**
   * Network route to the instance, for isolated pods. They may also connect to Google's APIs (port 443).
   * @default - every address at port 3307
   */
  readonly route?: NetworkRoute;

  /**
   * Further flags of the proxy, such as `--quota-project=…` or `--quiet=false`.
   * @default - none
   * @see https://github.com/GoogleCloudPlatform/cloud-sql-proxy/blob/main/docs/cmd/cloud-sql-proxy.md
   */
  readonly extraArgs?: string[];

  /**
   * Image of the proxy, version 2, by tag or digest.
   * @default 'gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.27.0'
   */
  readonly image?: string;

  /**
   * CPU, memory and disk for the logs of the proxy, in each pod.
   * @default - requests 50 millicores, 64 MiB and 1 GiB of disk, limits 1 CPU, 256 MiB and 1 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;
}
