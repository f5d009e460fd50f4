import { Construct } from 'constructs';

import { text } from '../../kube/values/env-values';
import { Problems } from '../../validation/problems';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection } from '../connection/postgres-connection';
import { DEFAULT_DATABASE } from '../connection/postgres-settings';
import { PostgresTls } from '../connection/postgres-tls';

import { checkCloudSql } from './check-cloud-sql';
import { CloudSqlIdentity } from './cloud-sql-identity';
import type { CloudSqlPostgresProps } from './cloud-sql-postgres-props';
import { cloudSqlProxy, PROXY_PORT } from './cloud-sql-proxy';

/**
 * A PostgreSQL instance of Google Cloud SQL, through the Cloud SQL Auth Proxy: a sidecar in each pod that connects, which
 * encrypts, proves who it is, and renews that by itself. With `CloudSqlLogin.iam()` there is no password at all.
 *
 * It needs Kubernetes 1.29 or later, where a Job ends although a sidecar runs. A `serviceAccount` of your own must have the
 * annotation `iam.gke.io/gcp-service-account`, or another way to the account: the library cannot look.
 * @see https://cloud.google.com/sql/docs/postgres/sql-proxy
 */
export class CloudSqlPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: CloudSqlPostgresProps) {
    super(scope, id);
    const problems = new Problems(this);
    checkCloudSql(problems, id, props);
    problems.throwIfAny();

    this.connection = new PostgresConnection({
      host: text('127.0.0.1'),
      port: text(PROXY_PORT),
      database: text(props.database ?? DEFAULT_DATABASE),
      credentials: props.login._credentials,
      // Within the pod. The proxy encrypts the way to the instance.
      tls: PostgresTls.DISABLE,
      maxConnections: props.maxConnections,
      sidecar: cloudSqlProxy(this, props, props.identity ?? CloudSqlIdentity.ambient()),
    });
  }
}
