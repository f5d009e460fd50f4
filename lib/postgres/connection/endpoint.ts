import { isIP } from 'node:net';

import { checkRoute, type NetworkRoute } from '../../kube/network/network-route';
import { text } from '../../kube/values/env-values';
import { checkPort } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { checkConnectionOptions, type ConnectionOptions } from './connection-options';
import { PostgresConnection, type PostgresConnectionProps } from './postgres-connection';
import { checkMaxConnections, DEFAULT_DATABASE, POSTGRES_PORT } from './postgres-settings';
import { PostgresTls } from './postgres-tls';

/** Address and limits of a database that exists, besides its host. */
export interface EndpointProps extends ConnectionOptions {
  /**
   * Further hosts of the same database. libpq tries all hosts in order until one accepts writes, so a failover needs no restart.
   * @default - none
   */
  readonly failoverHosts?: string[];

  /**
   * Host of the read replicas, with the same port, database and login. Used by servers with `readFromReplica`.
   * @default - no read replicas
   */
  readonly readHost?: string;

  /**
   * Port of the PostgreSQL server, the same on every host.
   * @default 5432
   */
  readonly port?: number;

  /**
   * Name of the database. It must exist; the role that MLflow logs in as should own it.
   * @default 'mlflow'
   */
  readonly database?: string;

  /**
   * Connection limit of the server (`SHOW max_connections`).
   * @default - unknown: no check that all connections fit
   */
  readonly maxConnections?: number;

  /**
   * Network route to all hosts, for isolated pods. Network policies match addresses, not names.
   * @default - every address at the port; if all hosts are addresses, only these
   */
  readonly route?: NetworkRoute;
}

/** Address, limits and encryption of a database outside the cluster. */
export interface ExternalEndpointProps extends EndpointProps {
  /** Host name or address (IPv4, or IPv6 without brackets) of the PostgreSQL server. */
  readonly host: string;

  /**
   * Encryption of the connection.
   * @default PostgresTls.REQUIRE
   */
  readonly tls?: PostgresTls;
}

const HOST_NAME = /^[a-zA-Z0-9_]([-a-zA-Z0-9_.]*[a-zA-Z0-9_])?\.?$/;

/** Validates the address, limits and encryption of a database. */
export function checkEndpoint(problems: Problems, endpoint: ExternalEndpointProps): void {
  checkHost(problems, 'host', endpoint.host);
  (endpoint.failoverHosts ?? []).forEach((host, i) => {
    checkHost(problems, `failoverHosts[${String(i)}]`, host);
  });
  if (endpoint.readHost !== undefined) {
    checkHost(problems, 'readHost', endpoint.readHost);
  }
  checkPort(problems, 'port', endpoint.port);
  checkDatabase(problems, endpoint.database);
  checkMaxConnections(problems, endpoint.maxConnections);
  checkConnectionOptions(problems, endpoint);
  checkRoute(problems, 'route', endpoint.route);
  endpoint.tls?._check(problems);
}

/** Validates the name of a database. */
export function checkDatabase(problems: Problems, database: string | undefined, prop = 'database'): void {
  // PostgreSQL silently truncates names to 63 bytes (NAMEDATALEN).
  if (database !== undefined && Buffer.byteLength(database) > 63) {
    problems.add(prop, 'must have 1 to 63 bytes', database);
  }
}

/** The connection to a database with this address. */
export function endpointConnection(
  endpoint: ExternalEndpointProps,
  login: Pick<PostgresConnectionProps, 'credentials' | 'sidecar'>,
): PostgresConnection {
  const { host, failoverHosts = [], readHost, route } = endpoint;
  return new PostgresConnection({
    host: text([host, ...failoverHosts].join(',')),
    port: text(endpoint.port ?? POSTGRES_PORT),
    database: text(endpoint.database ?? DEFAULT_DATABASE),
    schema: endpoint.schema,
    tls: endpoint.tls ?? PostgresTls.REQUIRE,
    tcpKeepalive: endpoint.tcpKeepalive,
    parameters: endpoint.parameters,
    readWriteOnly: failoverHosts.length > 0,
    readHost: readHost === undefined ? undefined : text(readHost),
    maxConnections: endpoint.maxConnections,
    route,
    readRoute: route,
    ...login,
  });
}

/** Validates the host of a database. */
export function checkHost(problems: Problems, prop: string, host: string): void {
  if (host.includes('://')) {
    problems.add(
      prop,
      'must be a host name or an address, not a URL',
      host,
      'User, password, port and database have props of their own.',
    );
  } else if (host.includes(',')) {
    problems.add(prop, 'must be one host', host, 'Name the further hosts in `failoverHosts`.');
  } else if (isIP(host) === 0 && (host.length > 253 || !HOST_NAME.test(host))) {
    problems.add(prop, 'must be a host name or an address, without port or brackets', host);
  }
}
