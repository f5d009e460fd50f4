import type { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import type { AwsIdentity } from '../../identity/aws-identity';
import type { EndpointProps } from '../connection/endpoint';
import type { PostgresTls } from '../connection/postgres-tls';

/** Props of {@link RdsPostgres}. All hosts are endpoints, which contain their region. */
export interface RdsPostgresProps extends EndpointProps {
  /**
   * Endpoint of the instance, the Aurora cluster or the RDS Proxy, as RDS shows it (`mlflow.abc.eu-west-1.rds.amazonaws.com`).
   * It cannot be a DNS name of your own: a token is valid for the host that it names.
   */
  readonly host: string;

  /** PostgreSQL role to log in as. It needs `GRANT rds_iam`. */
  readonly user: string;

  /**
   * Identity that may log in: it needs the IAM permission `rds-db:connect` for `user`.
   * @default AwsIdentity.ambient()
   */
  readonly identity?: AwsIdentity;

  /**
   * Encryption of the connection, which RDS requires: preferably `PostgresTls.verifyFull()` with the CA bundle of your region.
   * With `PostgresTls.REQUIRE`, a man in the middle gets a token that is valid for 15 minutes.
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
   */
  readonly tls: PostgresTls;

  /**
   * Region of the endpoints.
   * @default - the one in the name of each endpoint
   */
  readonly region?: string;

  /**
   * Interval between new tokens, at most 10 minutes. A token is valid for 15, and each connection uses the newest.
   * @default Duration.minutes(10)
   */
  readonly tokenRenewal?: Duration;

  /**
   * Image of the sidecar, by tag or digest. It needs Python and botocore.
   * @default 'ghcr.io/mlflow/mlflow:v3.18.0-full'
   */
  readonly image?: string;

  /**
   * CPU, memory and disk for the logs of the sidecar, in each pod.
   * @default - requests 50 millicores, 128 MiB and 1 GiB of disk, limits 1 CPU, 256 MiB and 1 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;
}
