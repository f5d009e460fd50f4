import { Construct } from 'constructs';

import { fromSecretKey } from '../../kube/values/env-values';
import { checkRoute, type NetworkRoute } from '../../kube/network/network-route';
import { Problems } from '../../validation/problems';
import { checkConstruct } from '../../validation/arguments';

import { checkExternal, externalConnection, type ExternalEndpointProps } from '../connection/external-endpoint';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection } from '../connection/postgres-connection';
import { checkSecretKeys, PostgresCredentials, type SecretKeysOptions } from '../connection/postgres-credentials';
import { checkMaxConnections } from '../connection/postgres-settings';
import { PostgresTls } from '../connection/postgres-tls';

/** Props of {@link ExistingSecretPostgres}. */
export interface ExistingSecretPostgresProps extends ExternalEndpointProps {
  /** Name of the Secret with the login, in the namespace of the pods; of an `ISecret`, its `name`. */
  readonly secretName: string;

  /**
   * Key of the user name.
   * @default 'username'
   */
  readonly usernameKey?: string;

  /**
   * Key of the password.
   * @default 'password'
   */
  readonly passwordKey?: string;
}

/** Props of {@link ExistingSecretPostgres.fromConnectionSecret}. */
export interface ConnectionSecretProps extends SecretKeysOptions {
  /** Name of the Secret, in the namespace of the pods; of an `ISecret`, its `name`. */
  readonly secretName: string;

  /**
   * Key of the host.
   * @default 'host'
   */
  readonly hostKey?: string;

  /**
   * Key of the port.
   * @default 'port'
   */
  readonly portKey?: string;

  /**
   * Key of the database's name.
   * @default 'dbname'
   */
  readonly databaseKey?: string;

  /**
   * How the connection is encrypted.
   * @default PostgresTls.PREFER
   */
  readonly tls?: PostgresTls;

  /**
   * How many connections the server accepts in all (`SHOW max_connections`).
   * @default - not known: nothing is checked against it
   */
  readonly maxConnections?: number;

  /**
   * Network destination of the host, for isolated pods.
   * @default - every address at port 5432
   */
  readonly route?: NetworkRoute;
}

/** A PostgreSQL database that exists, with its login in a Secret that exists. No password passes through the synthesis. */
export class ExistingSecretPostgres extends Construct implements IPostgresBackend {
  /**
   * A database whose whole address is in a Secret, as operators publish it. The defaults are the keys of the
   * `<cluster>-app` Secret of CloudNativePG.
   */
  public static fromConnectionSecret(scope: Construct, id: string, props: ConnectionSecretProps): IPostgresBackend {
    return new ConnectionSecretPostgres(scope, id, props);
  }

  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: ExistingSecretPostgresProps) {
    super(...checkConstruct('ExistingSecretPostgres', scope, id, props));
    const { usernameKey = 'username', passwordKey = 'password' } = props;
    const problems = new Problems(this);
    checkExternal(problems, props);
    checkSecretKeys(problems, props.secretName, { usernameKey, passwordKey });
    problems.throwIfAny();

    this.connection = externalConnection(
      props,
      PostgresCredentials.fromSecretName(props.secretName, { usernameKey, passwordKey }),
    );
  }
}

class ConnectionSecretPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: ConnectionSecretProps) {
    super(scope, id);
    const { secretName, hostKey = 'host', portKey = 'port', databaseKey = 'dbname' } = props;
    const { usernameKey = 'username', passwordKey = 'password' } = props;
    const problems = new Problems(this);
    checkSecretKeys(problems, secretName, { hostKey, portKey, databaseKey, usernameKey, passwordKey });
    checkMaxConnections(problems, props.maxConnections);
    checkRoute(problems, 'route', props.route);
    props.tls?._check(problems);
    problems.throwIfAny();

    this.connection = new PostgresConnection({
      host: fromSecretKey(secretName, hostKey),
      port: fromSecretKey(secretName, portKey),
      database: fromSecretKey(secretName, databaseKey),
      credentials: PostgresCredentials.fromSecretName(secretName, { usernameKey, passwordKey }),
      tls: props.tls ?? PostgresTls.PREFER,
      maxConnections: props.maxConnections,
      route: props.route,
    });
  }
}
