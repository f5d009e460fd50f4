import type { Construct } from 'constructs';

import { checkRoute, type NetworkRoute, routeAt } from '../../kube/network/network-route';
import type { PodPart } from '../../kube/pod/pod-part';
import { fromSecretKey, texts } from '../../kube/values/env-values';
import { checkHost } from '../../postgres/connection/endpoint';
import { checkLoginSecret, type SecretKeysOptions } from '../../postgres/connection/postgres-credentials';
import { checkNew } from '../../validation/arguments';
import { checkPort } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { MySqlTls } from './mysql-tls';

const CA_FOLDER = '/etc/mysql-ca';
const CA_FILE = 'ca.crt';
const DEFAULT_PORT = 3306;

/** Props of {@link MySqlSource}. */
export interface MySqlSourceProps extends SecretKeysOptions {
  /** Host name or address (IPv4, or IPv6 without brackets) of the MySQL or MariaDB server. */
  readonly host: string;

  /**
   * Port of the server.
   * @default 3306
   */
  readonly port?: number;

  /**
   * Name of the database.
   * @default 'mlflow'
   */
  readonly database?: string;

  /** Name of the Secret with the login, in the namespace of the Job. The user needs SELECT on the database, and nothing else. */
  readonly secretName: string;

  /**
   * Encryption of the connection.
   * @default MySqlTls.REQUIRE
   */
  readonly tls?: MySqlTls;

  /**
   * Network route to the host, for isolated pods.
   * @default - every address at the port
   */
  readonly route?: NetworkRoute;
}

/** The MySQL or MariaDB database of the old server. It is only read. */
export class MySqlSource {
  public constructor(private readonly props: MySqlSourceProps) {
    checkNew('MySqlSource', props);
  }

  /** @internal */
  public _check(problems: Problems): void {
    const own = problems.at('source');
    const { host, port, database, secretName, tls, route } = this.props;
    if (host.includes(',')) {
      own.add('host', 'must be one host', host, 'Name the primary.');
    } else {
      checkHost(own, 'host', host);
    }
    checkPort(own, 'port', port);
    if (database !== undefined && database.length > 64) {
      own.add('database', 'must have 1 to 64 characters', database);
    }
    checkLoginSecret(own, secretName, this.props);
    checkRoute(own, 'route', route);
    tls?._check(own);
  }

  /** @internal */
  public _part(scope: Construct): PodPart {
    const { host, port = DEFAULT_PORT, database = 'mlflow', secretName, tls = MySqlTls.REQUIRE, route } = this.props;
    const { usernameKey = 'username', passwordKey = 'password' } = this.props;
    return {
      envVariables: {
        ...texts({ MYSQL_HOST: host, MYSQL_PORT: port, MYSQL_DATABASE: database }),
        MYSQL_USER: fromSecretKey(secretName, usernameKey),
        MYSQL_PASSWORD: fromSecretKey(secretName, passwordKey),
        ...texts({ MYSQL_TLS: tls.mode, ...(tls.ca && { MYSQL_TLS_CA: `${CA_FOLDER}/${CA_FILE}` }) }),
      },
      volumeMounts: tls.ca && [tls.ca._mount(scope, 'mysql-ca', CA_FOLDER, CA_FILE)],
      routes: [routeAt(port, route)],
    };
  }
}
