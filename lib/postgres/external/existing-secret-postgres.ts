import { Construct } from 'constructs';

import { fromSecretKey } from '../../kube/values/env-values';
import { checkRoute, type NetworkRoute } from '../../kube/network/network-route';
import { problemsOf } from '../../kube/construct';
import { checkDataKey } from '../../validation/checks';
import { checkConstruct } from '../../validation/arguments';

import { checkConnectionOptions, type ConnectionOptions } from '../connection/connection-options';
import { checkEndpoint, endpointConnection, type ExternalEndpointProps } from '../connection/endpoint';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection } from '../connection/postgres-connection';
import { checkLoginSecret, PostgresCredentials, type SecretKeysOptions } from '../connection/postgres-credentials';
import { checkMaxConnections } from '../connection/postgres-settings';
import { PostgresTls } from '../connection/postgres-tls';

/** Props of {@link ExistingSecretPostgres}. */
export interface ExistingSecretPostgresProps extends ExternalEndpointProps, SecretKeysOptions {
  /** Name of the Secret with the login, in the namespace of the pods; of an `ISecret`, its `name`. */
  readonly secretName: string;
}

/** Props of {@link ExistingSecretPostgres.fromConnectionSecret}. */
export interface ConnectionSecretProps extends SecretKeysOptions, ConnectionOptions {
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
   * Key of the name of the database.
   * @default 'dbname'
   */
  readonly databaseKey?: string;

  /**
   * Encryption of the connection.
   * @default PostgresTls.PREFER
   */
  readonly tls?: PostgresTls;

  /**
   * Connection limit of the server (`SHOW max_connections`).
   * @default - unknown: no check that all connections fit
   */
  readonly maxConnections?: number;

  /**
   * Network route to the host, for isolated pods.
   * @default - every address at port 5432
   */
  readonly route?: NetworkRoute;
}

/** A PostgreSQL database that exists, with its login in a Secret that exists. The synthesis never sees the password. */
export class ExistingSecretPostgres extends Construct implements IPostgresBackend {
  /**
   * A database whose address and login are in one Secret, as operators make it. The default keys are those of CloudNativePG's
   * Secret `<cluster>-app`.
   */
  public static fromConnectionSecret(scope: Construct, id: string, props: ConnectionSecretProps): IPostgresBackend {
    return new ConnectionSecretPostgres(scope, id, props);
  }

  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: ExistingSecretPostgresProps) {
    super(...checkConstruct('ExistingSecretPostgres', scope, id, props));
    const problems = problemsOf(this);
    checkEndpoint(problems, props);
    checkLoginSecret(problems, props.secretName, props);
    problems.throwIfAny();

    this.connection = endpointConnection(props, {
      credentials: PostgresCredentials.fromSecretName(props.secretName, props),
    });
  }
}

class ConnectionSecretPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: ConnectionSecretProps) {
    super(scope, id);
    const { secretName, hostKey = 'host', portKey = 'port', databaseKey = 'dbname' } = props;
    const problems = problemsOf(this);
    checkLoginSecret(problems, secretName, props);
    for (const [prop, key] of Object.entries({ hostKey, portKey, databaseKey })) {
      checkDataKey(problems, prop, key);
    }
    checkMaxConnections(problems, props.maxConnections);
    checkConnectionOptions(problems, props);
    checkRoute(problems, 'route', props.route);
    props.tls?._check(problems);
    problems.throwIfAny();

    this.connection = new PostgresConnection({
      host: fromSecretKey(secretName, hostKey),
      port: fromSecretKey(secretName, portKey),
      database: fromSecretKey(secretName, databaseKey),
      schema: props.schema,
      credentials: PostgresCredentials.fromSecretName(secretName, props),
      tls: props.tls ?? PostgresTls.PREFER,
      tcpKeepalive: props.tcpKeepalive,
      parameters: props.parameters,
      maxConnections: props.maxConnections,
      route: props.route,
    });
  }
}
