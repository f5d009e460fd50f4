import type { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../../kube/network/network-route';
import type { PostgresTls } from '../connection/postgres-tls';

import type { RdsIdentity } from './rds-identity';

/** Props of {@link RdsPostgres}. */
export interface RdsPostgresProps {
  /**
   * The endpoint of the instance, the Aurora cluster or the RDS Proxy, as RDS shows it (`mlflow.abc.eu-west-1.rds.amazonaws.com`).
   * No DNS name of your own: the token is for the host that it names.
   */
  readonly host: string;

  /**
   * Further endpoints of the same database. Each is tried in order until one takes writes, so a failover needs no restart.
   * @default - none
   */
  readonly failoverHosts?: string[];

  /**
   * Endpoint of the read replicas, with the same port, database and role. Used by servers with `readFromReplica`.
   * @default - none
   */
  readonly readHost?: string;

  /**
   * Port of the PostgreSQL server, the same on every host.
   * @default 5432
   */
  readonly port?: number;

  /**
   * Name of the database. It has to exist, and its owner is best the user of MLflow.
   * @default 'mlflow'
   */
  readonly database?: string;

  /** The PostgreSQL role to log in as, which has been granted `rds_iam`. */
  readonly user: string;

  /**
   * Who the pods are to IAM.
   * @default RdsIdentity.ambient()
   */
  readonly identity?: RdsIdentity;

  /**
   * How the connection is encrypted: best by `PostgresTls.verifyFull()` with the bundle of your region. With
   * `PostgresTls.REQUIRE`, whoever gets in between gets a token that is good for 15 minutes. RDS asks for one of them.
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
   */
  readonly tls: PostgresTls;

  /**
   * The region that the endpoints are in.
   * @default - the one in the name of each
   */
  readonly region?: string;

  /**
   * How often there is a new token, at most every 10 minutes. Each is good for 15, and each connection takes the newest.
   * @default Duration.minutes(10)
   */
  readonly tokenRenewal?: Duration;

  /**
   * How many connections the server takes in all (`SHOW max_connections`). Its memory decides on it.
   * @default - not known: nothing is checked against it
   */
  readonly maxConnections?: number;

  /**
   * The way to all of its hosts through the network, for isolated pods. They may need AWS's APIs (port 443) besides.
   * @default - every address at the port
   */
  readonly route?: NetworkRoute;

  /**
   * The image of the sidecar, by tag or digest. It needs Python and botocore.
   * @default 'ghcr.io/mlflow/mlflow:v3.17.2-full'
   */
  readonly image?: string;

  /**
   * CPU, memory and logs of the sidecar, in each pod.
   * @default - requests 50 millicores, 128 MiB and 1 GiB of disk, limits 1 CPU, 256 MiB and 1 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;
}
