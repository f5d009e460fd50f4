import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkSeconds } from '../validation/checks';
import { checkConstruct } from '../validation/arguments';
import { text } from '../kube/values/env-values';
import { labelsOf } from '../kube/pod/labels';
import { oneShotJob } from '../kube/pod/job';
import { Problems } from '../validation/problems';
import { checkDatabase } from '../postgres/connection/endpoint';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { credentialsRevision } from '../postgres/connection/connection-part';
import { PostgresConnection } from '../postgres/connection/postgres-connection';
import type { PostgresCredentials } from '../postgres/connection/postgres-credentials';
import type { PostgresTls } from '../postgres/connection/postgres-tls';
import { ScriptFiles } from '../scripts/scripts';

import { checkOperation, Operation, type OperationProps } from './operation';

const SCRIPTS = ScriptFiles.named('bootstrap_database.py');

/** Props of {@link DatabaseBootstrap}. */
export interface DatabaseBootstrapProps extends OperationProps {
  /** The database to make: its host, its name, and the login that becomes its owner. */
  readonly backend: IPostgresBackend;

  /** An administrator of the same server: a superuser, or a role with CREATEROLE and CREATEDB as managed databases have it. */
  readonly admin: PostgresCredentials;

  /**
   * A database that exists, for the administrator to log in to.
   * @default 'postgres'
   */
  readonly maintenanceDatabase?: string;

  /**
   * How the connections are encrypted, where the administrator has another client certificate than MLflow.
   * @default - as those of the backend
   */
  readonly tls?: PostgresTls;

  /**
   * How long to wait for a server that cannot be reached yet.
   * @default Duration.minutes(2)
   */
  readonly deadline?: Duration;
}

/**
 * A Job that makes what the guide's "Prepare PostgreSQL Database" asks for: the role, and the database that it owns.
 *
 * What is there already stays, so it may run again: no owner is changed, no right is taken away, and a password only where
 * a login with it fails. PostgreSQL gets a SCRAM verifier, never the password. A server on the same backend may be applied
 * together with it, with `DatabaseConnectionCheck.initContainer({ databaseMayAppear: true })`.
 */
export class DatabaseBootstrap extends Construct {
  /** What runs it. Its name follows from its content, so that applying it again does nothing. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: DatabaseBootstrapProps) {
    super(...checkConstruct('DatabaseBootstrap', scope, id, props));
    const problems = new Problems(this);
    checkOperation(problems, id, props);
    checkDatabase(problems, props.maintenanceDatabase, 'maintenanceDatabase');
    checkSeconds(problems, 'deadline', props.deadline);
    props.tls?._check(problems);
    const { connection } = props.backend;
    const wanted = connection.unpooled;
    const { username, password } = wanted.credentials;
    if (password === undefined) {
      problems.say(
        '`backend` must log in with a password, which the role gets.',
        "Make a role that logs in without one as an administrator, or with the tools of the database's provider.",
      );
    }
    const pod = problems.finish(() => {
      const admin = new PostgresConnection({
        host: wanted.host,
        port: wanted.port,
        database: text(props.maintenanceDatabase ?? 'postgres'),
        credentials: props.admin,
        tls: props.tls ?? wanted.tls,
        readWriteOnly: wanted.readWriteOnly,
        clientLabels: wanted.clientLabels,
        route: wanted.route,
        sidecar: wanted.sidecar,
      });
      const operation = new Operation(this, problems, labelsOf('mlflow', id, 'bootstrap'), props, admin, SCRIPTS);
      return operation.pod({
        // A changed password of either is another Job.
        parts: [{ podAnnotations: credentialsRevision(wanted.credentials) }],
        containers: [
          operation.container('bootstrap-database', {
            script: ['bootstrap_database.py'],
            connects: true,
            parts: [
              {
                envVariables: {
                  BOOTSTRAP_USER: username,
                  ...(password && { BOOTSTRAP_PASSWORD: password }),
                  BOOTSTRAP_DATABASE: wanted.database,
                  BOOTSTRAP_WAIT_SECONDS: text((props.deadline ?? Duration.minutes(2)).toSeconds()),
                },
              },
            ],
          }),
        ],
      });
    });

    this.job = oneShotJob(this, 'job', pod, { name: id, backoffLimit: 3 });
  }
}
