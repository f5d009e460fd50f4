import { Construct } from 'constructs';

import { text } from '../../kube/values/env-values';
import { Problems } from '../../validation/problems';
import { endpointValues } from '../connection/endpoint';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';

import { checkRds } from './check-rds';
import type { RdsPostgresProps } from './rds-postgres-props';
import { tokenWriter } from './token-writer';

/**
 * PostgreSQL at Amazon RDS or Aurora, by IAM and without a password that lasts.
 *
 * A sidecar in each pod that connects signs a token every 10 minutes and keeps it in a file in memory, which libpq reads at
 * each connection. Connections that are open stay so when their token expires. It needs Kubernetes 1.29 or later, where a Job
 * ends although a sidecar runs. A `serviceAccount` of your own must have the annotation `eks.amazonaws.com/role-arn`, or
 * another way to the role: the library cannot look.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export class RdsPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: RdsPostgresProps) {
    super(scope, id);
    const problems = new Problems(this);
    checkRds(problems, id, props);
    problems.throwIfAny();

    this.connection = new PostgresConnection({
      ...endpointValues(props),
      credentials: new PostgresCredentials({ username: text(props.user) }),
      tls: props.tls,
      readWriteOnly: (props.failoverHosts ?? []).length > 0,
      readHost: props.readHost === undefined ? undefined : text(props.readHost),
      maxConnections: props.maxConnections,
      route: props.route,
      readRoute: props.route,
      sidecar: tokenWriter(this, props),
    });
  }
}
