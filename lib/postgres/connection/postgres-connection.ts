import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../../kube/network/network-route';

import { routeTo } from './connection-route';
import type { ConnectionSidecar } from './connection-sidecar';
import type { PostgresCredentials } from './postgres-credentials';
import type { PostgresTls } from './postgres-tls';
import { checkNew } from '../../validation/arguments';

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
   * Server connections that one pod of a pooler in transaction mode opens. Requests in flight, of all pods of all servers together,
   * must be fewer.
   * @default - no pooler in transaction mode
   */
  readonly serverConnections?: number;

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
   * The connection that goes around the pooler to the database itself. Schema migrations, backups and other operations use it,
   * since they need a session of their own.
   * @default - there is no pooler: this connection goes to the database
   */
  readonly bypass?: PostgresConnection;

  /**
   * Whether the pooler connects to every database of the server, not to `database` alone. Counts only with `bypass`.
   * @default false
   */
  readonly poolsAnyDatabase?: boolean;

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
  /** Server connections that one pod of a pooler in transaction mode opens, where there is one. */
  public readonly serverConnections?: number;
  /** Labels that a pod needs so that network policies let it through. */
  public readonly clientLabels: Record<string, string>;
  /** The way to the host through the network. */
  public readonly route: NetworkRoute;
  /** The way to the read replicas through the network, where there are any. */
  public readonly readRoute?: NetworkRoute;
  /** The connection around the pooler, where there is a pooler. */
  public readonly bypass?: PostgresConnection;
  /** Whether the pooler connects to every database of the server. */
  public readonly poolsAnyDatabase: boolean;
  /** What each pod needs beside its own containers in order to connect, if anything. */
  public readonly sidecar?: ConnectionSidecar;

  public constructor(props: PostgresConnectionProps) {
    checkNew('PostgresConnection', props);
    this.host = props.host;
    this.port = props.port;
    this.database = props.database;
    this.credentials = props.credentials;
    this.tls = props.tls;
    this.readWriteOnly = props.readWriteOnly ?? false;
    this.readHost = props.readHost;
    this.maxConnections = props.maxConnections;
    this.serverConnections = props.serverConnections;
    this.clientLabels = props.clientLabels ?? {};
    this.route = routeTo(props.host, props.port, props.route);
    this.readRoute = props.readHost && routeTo(props.readHost, props.port, props.readRoute);
    this.bypass = props.bypass;
    this.poolsAnyDatabase = props.poolsAnyDatabase ?? false;
    this.sidecar = props.sidecar;
  }

  /** The connection to the database itself: `bypass` where there is a pooler, this one where there is none. */
  public get unpooled(): PostgresConnection {
    return this.bypass ?? this;
  }
}
