import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../../kube/network/network-route';

import { routeTo } from './connection-route';
import type { ConnectionSidecar } from './connection-sidecar';
import type { PostgresCredentials } from './postgres-credentials';
import type { PostgresTls } from './postgres-tls';

/** Everything that makes up a {@link PostgresConnection}. */
export interface PostgresConnectionProps {
  /** Host name or address; a list with commas is tried in order, as libpq does. */
  readonly host: kplus.EnvValue;

  /** Port, or as many ports as hosts, with commas. */
  readonly port: kplus.EnvValue;

  /** Name of the database. */
  readonly database: kplus.EnvValue;

  /** Who logs in. */
  readonly credentials: PostgresCredentials;

  /** How the connection is encrypted. */
  readonly tls: PostgresTls;

  /**
   * Connect to the first host that takes writes, instead of the first that answers. For lists of hosts.
   * @default false
   */
  readonly readWriteOnly?: boolean;

  /**
   * Host of the read replicas, with the same port, database and login.
   * @default - there are none
   */
  readonly readHost?: kplus.EnvValue;

  /**
   * How many connections the server takes in all (`max_connections`).
   * @default - not known: nothing is checked against it
   */
  readonly maxConnections?: number;

  /**
   * Connections to the database that a pooler lends at once, each for a transaction. Requests in flight, those of all pods
   * together, must be fewer.
   * @default - there is no pooler that lends them so
   */
  readonly poolSize?: number;

  /**
   * Labels that a pod needs so that network policies let it through to the database.
   * @default - none
   */
  readonly clientLabels?: Record<string, string>;

  /**
   * The way to the host through the network, for policies that let only it pass.
   * @default - every address at the port; only the hosts' own, where each is an address; 5432 for a port in a Secret
   */
  readonly route?: NetworkRoute;

  /**
   * The way to the read replicas through the network.
   * @default - as for `route`, with `readHost`
   */
  readonly readRoute?: NetworkRoute;

  /**
   * The way around a pooler, straight to the database: what a migration takes, which needs a session of its own.
   * @default - this connection is straight to the database
   */
  readonly direct?: PostgresConnection;

  /**
   * What each pod needs beside its own containers in order to connect. With a proxy, `host` is the loopback address.
   * @default - none
   */
  readonly sidecar?: ConnectionSidecar;
}

/**
 * How a pod reaches a PostgreSQL database: the one value between backends and all that connects.
 *
 * It holds values only, so that a backend can be anything. Each container that connects gets the same rendering of it:
 * the environment variables of libpq, and the files that they name.
 */
export class PostgresConnection {
  /** Host name or address, or a list of them. */
  public readonly host: kplus.EnvValue;
  /** Port, or a list of them. */
  public readonly port: kplus.EnvValue;
  /** Name of the database. */
  public readonly database: kplus.EnvValue;
  /** Who logs in. */
  public readonly credentials: PostgresCredentials;
  /** How the connection is encrypted. */
  public readonly tls: PostgresTls;
  /** Whether only a host that takes writes will do. */
  public readonly readWriteOnly: boolean;
  /** Host of the read replicas, where there are any. */
  public readonly readHost?: kplus.EnvValue;
  /** How many connections the server takes in all, if that is known. */
  public readonly maxConnections?: number;
  /** Connections that a pooler lends at once, where there is one that lends by transaction. */
  public readonly poolSize?: number;
  /** Labels that a pod needs so that network policies let it through. */
  public readonly clientLabels: Record<string, string>;
  /** The way to the host through the network. */
  public readonly route: NetworkRoute;
  /** The way to the read replicas through the network, where there are any. */
  public readonly readRoute?: NetworkRoute;
  /** The way around a pooler, where there is one. */
  public readonly direct?: PostgresConnection;
  /** What each pod needs beside its own containers in order to connect, if anything. */
  public readonly sidecar?: ConnectionSidecar;

  public constructor(props: PostgresConnectionProps) {
    this.host = props.host;
    this.port = props.port;
    this.database = props.database;
    this.credentials = props.credentials;
    this.tls = props.tls;
    this.readWriteOnly = props.readWriteOnly ?? false;
    this.readHost = props.readHost;
    this.maxConnections = props.maxConnections;
    this.poolSize = props.poolSize;
    this.clientLabels = props.clientLabels ?? {};
    this.route = routeTo(props.host, props.port, props.route);
    this.readRoute = props.readHost && routeTo(props.readHost, props.port, props.readRoute);
    this.direct = props.direct;
    this.sidecar = props.sidecar;
  }
}
