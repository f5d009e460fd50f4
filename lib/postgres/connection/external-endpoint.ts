import { text } from '../../kube/values/env-values';
import { checkRoute, type NetworkRoute } from '../../kube/network/network-route';
import type { Problems } from '../../validation/problems';

import { checkEndpoint, endpointValues } from './endpoint';
import { PostgresConnection } from './postgres-connection';
import type { PostgresCredentials } from './postgres-credentials';
import { checkMaxConnections } from './postgres-settings';
import { PostgresTls } from './postgres-tls';

/** A database outside the cluster, as the props of a backend name it. */
export interface ExternalEndpointProps {
  /** Host name or address (IPv4, or IPv6 without brackets) of the PostgreSQL server. */
  readonly host: string;

  /**
   * Further hosts of the same database. Each is tried in order until one takes writes, so a failover needs no restart.
   * @default - none
   */
  readonly failoverHosts?: string[];

  /**
   * Host of the read replicas, with the same port, database and login. Used by servers with `readFromReplica`.
   * @default - none
   */
  readonly readHost?: string;

  /**
   * Port of the PostgreSQL server, the same on every host.
   * @default 5432
   */
  readonly port?: number;

  /**
   * Name of the database. It has to exist, and its owner is best the user of MLflow.
   * @default 'mlflow'
   */
  readonly database?: string;

  /**
   * How the connection is encrypted.
   * @default PostgresTls.REQUIRE
   */
  readonly tls?: PostgresTls;

  /**
   * How many connections the server accepts in all (`SHOW max_connections`).
   * @default - not known: nothing is checked against it
   */
  readonly maxConnections?: number;

  /**
   * Network destination of all its hosts, for isolated pods. Policies match addresses, not names.
   * @default - every address at the port; only the hosts' own, where each is an address
   */
  readonly route?: NetworkRoute;
}

/** Validates the props of a database outside the cluster. */
export function checkExternal(problems: Problems, props: ExternalEndpointProps): void {
  checkEndpoint(problems, props);
  checkMaxConnections(problems, props.maxConnections);
  checkRoute(problems, 'route', props.route);
  props.tls?._check(problems);
}

/** The connection to a database outside the cluster. */
export function externalConnection(props: ExternalEndpointProps, credentials: PostgresCredentials): PostgresConnection {
  return new PostgresConnection({
    ...endpointValues(props),
    credentials,
    tls: props.tls ?? PostgresTls.REQUIRE,
    readWriteOnly: (props.failoverHosts ?? []).length > 0,
    readHost: props.readHost === undefined ? undefined : text(props.readHost),
    maxConnections: props.maxConnections,
    route: props.route,
    readRoute: props.route,
  });
}
