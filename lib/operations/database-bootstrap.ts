import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkSeconds } from '../validation/checks';
import type { Problems } from '../validation/problems';
import { checkConstruct } from '../validation/arguments';
import { text } from '../kube/values/env-values';
import { oneShotJob } from '../kube/pod/job';
import { problemsOf } from '../kube/construct';
import { checkDatabase } from '../postgres/connection/endpoint';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { credentialsRevision } from '../postgres/connection/connection-part';
import { PostgresConnection } from '../postgres/connection/postgres-connection';
import { serverKeys, type ServerKey, serverName } from '../postgres/connection/server-names';
import type { PostgresCredentials } from '../postgres/connection/postgres-credentials';
import type { PostgresTls } from '../postgres/connection/postgres-tls';
import { ScriptFiles } from '../scripts/scripts';

import { checkOperation, Operation, type OperationProps } from './operation';

const SCRIPTS = ScriptFiles.named('bootstrap_database.py');

/** Props of {@link DatabaseBootstrap}. */
export interface DatabaseBootstrapProps extends OperationProps {
  /** The database to create: its host, its name, and the login that becomes its owner. */
  readonly backend: IPostgresBackend;

  /**
   * Further databases to create on the same server, each with the login that becomes its owner. The Job reads all logins from Secrets
   * of its own namespace. With several databases, each that it creates accepts connections of its owner alone.
   * @default - none
   */
  readonly furtherBackends?: IPostgresBackend[];

  /** Login of an administrator of the same server: a superuser, or, on managed databases, a role with CREATEROLE and CREATEDB. */
  readonly admin: PostgresCredentials;

  /**
   * Existing database that the administrator connects to.
   * @default 'postgres'
   */
  readonly maintenanceDatabase?: string;

  /**
   * TLS of the administrator's connection, where it differs from MLflow's, such as by another client certificate.
   * @default - the backend's
   */
  readonly tls?: PostgresTls;

  /**
   * How long to wait for an unreachable server.
   * @default Duration.minutes(2)
   */
  readonly deadline?: Duration;
}

/**
 * A Job that does the guide's "Prepare PostgreSQL Database": it creates the role, the database that the role owns, and
 * the backend's `schema`; of several backends, if they share a server.
 *
 * It may run again: existing owners and privileges stay, and a password is set only if a login with it fails. PostgreSQL
 * gets a SCRAM verifier, never the password. A server on the same backend may be applied together with it, with
 * `DatabaseConnectionCheck.initContainer({ databaseMayAppear: true })`.
 */
export class DatabaseBootstrap extends Construct {
  /** The Job, named by its content, so that applying it again does nothing. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: DatabaseBootstrapProps) {
    super(...checkConstruct('DatabaseBootstrap', scope, id, props));
    const problems = problemsOf(this);
    checkOperation(problems, id, props);
    checkDatabase(problems, props.maintenanceDatabase, 'maintenanceDatabase');
    checkSeconds(problems, 'deadline', props.deadline);
    props.tls?._check(problems);
    const database = props.backend.connection.unpooled;
    const { furtherBackends = [] } = props;
    const databases = [database, ...furtherBackends.map(({ connection }) => connection.unpooled)];
    databases.forEach((each, i) => {
      checkTarget(problems, i === 0 ? 'backend' : `furtherBackends[${String(i - 1)}]`, each);
    });
    checkOneServer(
      problems,
      databases.map((each) => serverKeys(each, this)),
    );
    const pod = problems.finish(() => {
      const connection = new PostgresConnection({
        host: database.host,
        port: database.port,
        database: text(props.maintenanceDatabase ?? 'postgres'),
        credentials: props.admin,
        tls: props.tls ?? database.tls,
        tcpKeepalive: database.tcpKeepalive,
        parameters: database.parameters,
        readWriteOnly: database.readWriteOnly,
        clientLabels: database.clientLabels,
        route: database.route,
        sidecar: database.sidecar,
      });
      const input = { component: 'bootstrap', props, connection, scripts: SCRIPTS };
      return Operation.pod(this, problems, input, (operation) => ({
        // A changed password of either makes a new Job.
        parts: databases.map(({ credentials }) => ({ podAnnotations: credentialsRevision(credentials) })),
        containers: [
          operation.container('bootstrap-database', {
            script: ['bootstrap_database.py'],
            connects: true,
            parts: [
              {
                envVariables: {
                  ...Object.fromEntries(databases.flatMap((each, i) => Object.entries(targetVariables(each, i)))),
                  BOOTSTRAP_WAIT_SECONDS: text((props.deadline ?? Duration.minutes(2)).toSeconds()),
                },
              },
            ],
          }),
        ],
      }));
    });
    this.job = oneShotJob(this, 'job', pod, { name: id, backoffLimit: 3 });
  }
}

function checkTarget(problems: Problems, prop: string, { credentials }: PostgresConnection): void {
  if (credentials.password === undefined) {
    problems.say(
      `\`${prop}\` must log in with a password, which the role gets.`,
      "Create a role without one as an administrator, or with the database provider's tools.",
    );
  }
}

/** Validates that all databases are on the server of the first. */
function checkOneServer(problems: Problems, [first, ...further]: readonly ServerKey[][]): void {
  further.forEach((keys, i) => {
    if (!keys.some((key) => first?.includes(key) === true)) {
      problems.add(
        `furtherBackends[${String(i)}]`,
        `must be on the server of \`backend\` (${serverName(first ?? []) ?? 'unknown'})`,
        serverName(keys) ?? 'another one',
        'Make a DatabaseBootstrap for each server.',
      );
    }
  });
}

/** The variables of the script for a database. The first has no number. */
function targetVariables(target: PostgresConnection, index: number): Record<string, kplus.EnvValue> {
  const prefix = index === 0 ? 'BOOTSTRAP_' : `BOOTSTRAP_${String(index)}_`;
  const { username, password } = target.credentials;
  return {
    [`${prefix}USER`]: username,
    ...(password && { [`${prefix}PASSWORD`]: password }),
    [`${prefix}DATABASE`]: target.database,
    ...(target.schema !== undefined && { [`${prefix}SCHEMA`]: text(target.schema) }),
  };
}
