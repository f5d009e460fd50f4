import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../../kube/network/network-route';

import type { CloudSqlIdentity } from './cloud-sql-identity';
import type { CloudSqlLogin } from './cloud-sql-login';

/** Which of its addresses an instance is reached at. */
export enum CloudSqlIpType {
  /** The public one, from anywhere. */
  PUBLIC = 'public',
  /** The one in your own network. Choose it where the cluster is in that network. */
  PRIVATE = 'private',
  /** An endpoint of Private Service Connect in your own network. */
  PSC = 'psc',
}

/** Props of {@link CloudSqlPostgres}. */
export interface CloudSqlPostgresProps {
  /** The instance, `project:region:instance`, as `gcloud sql instances describe` shows it (`connectionName`). */
  readonly instanceConnectionName: string;

  /** How MLflow logs in. */
  readonly login: CloudSqlLogin;

  /**
   * How the proxy proves who it is.
   * @default CloudSqlIdentity.ambient()
   */
  readonly identity?: CloudSqlIdentity;

  /**
   * Name of the database. It has to exist, and the user needs CREATE on its schema `public`, which owners of a database have.
   * @default 'mlflow'
   */
  readonly database?: string;

  /**
   * Which address of the instance is used.
   * @default CloudSqlIpType.PUBLIC
   */
  readonly ipType?: CloudSqlIpType;

  /**
   * How many connections the instance takes in all (`SHOW max_connections`). Its memory decides on it.
   * @default - not known: nothing is checked against it
   */
  readonly maxConnections?: number;

  /**
   * The way to the instance through the network, for isolated pods. They need Google's APIs (port 443) besides.
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
   * The image of the proxy, version 2, by tag or digest.
   * @default 'gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.27.0'
   */
  readonly image?: string;

  /**
   * CPU, memory and logs of the proxy, in each pod.
   * @default - requests 50 millicores, 64 MiB and 1 GiB of disk, limits 1 CPU, 256 MiB and 1 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;
}
