import { Construct } from 'constructs';

import { GoogleIdentity } from '../../identity/google-identity';
import { checkContainer } from '../../kube/pod/pod-options';
import { checkRoute } from '../../kube/network/network-route';
import { text } from '../../kube/values/env-values';
import { checkObjectName } from '../../validation/checks';
import { problemsOf } from '../../kube/construct';
import type { Problems } from '../../validation/problems';
import { checkConstruct } from '../../validation/arguments';
import { checkLibpqOptions } from '../connection/connection-options';
import { checkDatabase } from '../connection/endpoint';
import { checkMaxConnections } from '../connection/postgres-settings';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection } from '../connection/postgres-connection';
import { DEFAULT_DATABASE } from '../connection/postgres-settings';
import { PostgresTls } from '../connection/postgres-tls';

import type { CloudSqlPostgresProps } from './cloud-sql-postgres-props';
import { checkExtraArgs, cloudSqlSidecar, PROXY_PORT } from './cloud-sql-sidecar';

// Projects of an organization begin with its domain: example.com:project.
const CONNECTION_NAME = /^([a-z0-9][-a-z0-9.]*:)?[a-z][-a-z0-9]*:[a-z]+(-[a-z]+)+\d+:[a-z][-a-z0-9]*$/;

/**
 * PostgreSQL on Google Cloud SQL, through the Cloud SQL Auth Proxy: a native sidecar of every pod that connects. It encrypts the
 * connection, proves its identity and renews its certificates and tokens. With `CloudSqlLogin.iam()`, there is no password.
 *
 * Native sidecars need Kubernetes 1.29 or later: there, a Job ends although its sidecar runs. A `serviceAccount` of your own needs
 * the annotation `iam.gke.io/gcp-service-account`, or gets its Google account by other means; the library cannot check that.
 * @see https://cloud.google.com/sql/docs/postgres/sql-proxy
 */
export class CloudSqlPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: CloudSqlPostgresProps) {
    super(...checkConstruct('CloudSqlPostgres', scope, id, props));
    const { identity = GoogleIdentity.ambient() } = props;
    const problems = problemsOf(this);
    checkProps(problems, id, { ...props, identity });
    problems.throwIfAny();

    this.connection = new PostgresConnection({
      host: text('127.0.0.1'),
      port: text(PROXY_PORT),
      database: text(props.database ?? DEFAULT_DATABASE),
      schema: props.schema,
      credentials: props.login._credentials,
      // The connection to the proxy stays in the pod. The proxy encrypts that to the instance.
      tls: PostgresTls.DISABLE,
      parameters: props.parameters,
      maxConnections: props.maxConnections,
      server: props.instanceConnectionName,
      sidecar: cloudSqlSidecar(this, props, identity),
    });
  }
}

function checkProps(
  problems: Problems,
  id: string,
  props: CloudSqlPostgresProps & { readonly identity: GoogleIdentity },
): void {
  checkObjectName(problems, 'id', id);
  if (!CONNECTION_NAME.test(props.instanceConnectionName)) {
    problems.add(
      'instanceConnectionName',
      'must be project:region:instance',
      props.instanceConnectionName,
      "It is what `gcloud sql instances describe INSTANCE --format='value(connectionName)'` prints.",
    );
  }
  props.identity._check(problems, 'identity');
  props.login._check(problems, props.identity);
  checkDatabase(problems, props.database);
  checkMaxConnections(problems, props.maxConnections);
  checkLibpqOptions(problems, props);
  checkRoute(problems, 'route', props.route);
  checkContainer(problems, props);
  checkExtraArgs(problems, props.extraArgs);
}
