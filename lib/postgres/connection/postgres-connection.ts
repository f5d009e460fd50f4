import { isIP } from 'node:net';

import type * as kplus from 'cdk8s-plus-28';

import { NetworkPeer } from '../../kube/network/network-peer';
import type { NetworkRoute } from '../../kube/network/network-route';

import type { ConnectionOptions } from './connection-options';
import type { ConnectionSidecar } from './connection-sidecar';
import type { PostgresCredentials } from './postgres-credentials';
import { POSTGRES_PORT } from './postgres-settings';
import type { PostgresTls } from './postgres-tls';
import type { TcpKeepaliveOptions } from './tcp-keepalive';
import { checkNew } from '../../validation/arguments';

/** Props of {@link PostgresConnection}. */
export interface PostgresConnectionProps extends ConnectionOptions {
  /** Host name or address. libpq tries the hosts of a comma-separated list in order. */
  readonly host: kplus.EnvValue;

  /** Port, or a comma-separated list with a port for each host. */
  readonly port: kplus.EnvValue;

  /** Name of the database. */
  readonly database: kplus.EnvValue;

  /** Login of MLflow. */
  readonly credentials: PostgresCredentials;

  /** Encryption of the connection. */
  readonly tls: PostgresTls;

  /**
   * Connect to the first host that accepts writes, instead of the first that answers. For lists of hosts.
   * @default false
   */
  readonly readWriteOnly?: boolean;

  /**
   * Host of the read replicas, with the same port, database and login.
   * @default - no read replicas
   */
  readonly readHost?: kplus.EnvValue;

  /**
   * Connection limit of the server (`max_connections`).
   * @default - unknown: no check that all connections fit
   */
  readonly maxConnections?: number;

  /**
   * Name of the PostgreSQL server, the same in each connection to it, where `host` does not tell: a proxy, or several addresses of one
   * server. All connections to a server share its `maxConnections`.
   * @default - known by host and port, or by the key of the Secret that has the host
   */
  readonly server?: string;

  /**
   * Connections to the database that one pod of a pooler in transaction mode opens. All requests in flight, of all pods of all
   * servers together, must be fewer.
   * @default - no pooler in transaction mode
   */
  readonly serverConnections?: number;

  /**
   * Labels that the database's network policy requires of its clients.
   * @default - none
   */
  readonly clientLabels?: Record<string, string>;

  /**
   * Network route to `host`, for isolated pods.
   * @default - every address at the port (5432 for a port in a Secret); if all hosts are addresses, only these
   */
  readonly route?: NetworkRoute;

  /**
   * Network route to `readHost`, for isolated pods.
   * @default - as for `route`
   */
  readonly readRoute?: NetworkRoute;

  /**
   * Connection to the database itself, around the pooler. Schema migrations, backups and other operations use it, since they
   * need a session of their own.
   * @default - no pooler: this connection goes to the database
   */
  readonly bypass?: PostgresConnection;

  /**
   * Whether the pooler connects to every database of the server, not to `database` alone. Only with `bypass`.
   * @default false
   */
  readonly poolsAnyDatabase?: boolean;

  /**
   * Native sidecar of every pod that connects. For a proxy, `host` is the loopback address.
   * @default - none
   */
  readonly sidecar?: ConnectionSidecar;
}

/**
 * How pods connect to a PostgreSQL database: what each backend provides.
 *
 * It holds values only, so that a backend can be any construct. Each container that connects gets the environment variables of
 * libpq and the files that these name.
 */
export class PostgresConnection {
  /** Host name or address, or a comma-separated list. */
  public readonly host: kplus.EnvValue;
  /** Port, or a comma-separated list. */
  public readonly port: kplus.EnvValue;
  /** Name of the database. */
  public readonly database: kplus.EnvValue;
  /** Schema that holds MLflow's tables, if it is not the first of the login's own `search_path`. */
  public readonly schema?: string;
  /** Login of MLflow. */
  public readonly credentials: PostgresCredentials;
  /** Encryption of the connection. */
  public readonly tls: PostgresTls;
  /** When a connection counts as dead whose peer no longer answers. */
  public readonly tcpKeepalive?: TcpKeepaliveOptions;
  /** Further parameters of libpq, by name. */
  public readonly parameters: Record<string, string>;
  /** Whether pods connect only to a host that accepts writes. */
  public readonly readWriteOnly: boolean;
  /** Host of the read replicas, if there are any. */
  public readonly readHost?: kplus.EnvValue;
  /** Name of the PostgreSQL server, where the host does not tell. */
  public readonly server?: string;
  /** Labels that the database's network policy requires of its clients. */
  public readonly clientLabels: Record<string, string>;
  /** Network route to `host`. */
  public readonly route: NetworkRoute;
  /** Network route to `readHost`, if there is one. */
  public readonly readRoute?: NetworkRoute;
  /** Connection to the database itself, if this one goes to a pooler. */
  public readonly bypass?: PostgresConnection;
  /** Whether the pooler connects to every database of the server. */
  public readonly poolsAnyDatabase: boolean;
  /** Native sidecar of every pod that connects, if there is one. */
  public readonly sidecar?: ConnectionSidecar;

  /** Limits of connections. Those of a pooler can depend on the other clients of its database. @internal */
  public _limits: Pick<PostgresConnectionProps, 'maxConnections' | 'serverConnections'>;

  /** Connection to another database of the same server, which this one is made of. @internal */
  public _origin?: PostgresConnection;

  public constructor(props: PostgresConnectionProps) {
    checkNew('PostgresConnection', props);
    this.host = props.host;
    this.port = props.port;
    this.database = props.database;
    this.schema = props.schema;
    this.credentials = props.credentials;
    this.tls = props.tls;
    this.tcpKeepalive = props.tcpKeepalive;
    this.parameters = props.parameters ?? {};
    this.readWriteOnly = props.readWriteOnly ?? false;
    this.readHost = props.readHost;
    this._limits = props;
    this.server = props.server;
    this.clientLabels = props.clientLabels ?? {};
    this.route = routeTo(props.host, props.port, props.route);
    this.readRoute = props.readHost && routeTo(props.readHost, props.port, props.readRoute);
    this.bypass = props.bypass;
    this.poolsAnyDatabase = props.poolsAnyDatabase ?? false;
    this.sidecar = props.sidecar;
  }

  /** Connection limit of the server, if it is known. */
  public get maxConnections(): number | undefined {
    return this._limits.maxConnections;
  }

  /** Connections to the database that one pod of a pooler in transaction mode opens, if there is one. */
  public get serverConnections(): number | undefined {
    return this._limits.serverConnections;
  }

  /** The connection to the database itself: `bypass` if this one goes to a pooler, otherwise this one. */
  public get unpooled(): PostgresConnection {
    return this.bypass ?? this;
  }
}

function routeTo(host: kplus.EnvValue, port: kplus.EnvValue, given: NetworkRoute = {}): NetworkRoute {
  const hosts = listIn(host);
  const ports = listIn(port).map(Number);
  // A name can stand for any address. A host or a port in a Secret is unknown at synthesis.
  const peers =
    hosts.length > 0 && hosts.every((each) => isIP(each) !== 0)
      ? hosts.map((each) => NetworkPeer.cidr(`${each}/${isIP(each) === 4 ? '32' : '128'}`))
      : undefined;
  return {
    peers: given.peers ?? peers,
    ports: given.ports ?? (ports.length === 0 ? [POSTGRES_PORT] : [...new Set(ports)]),
  };
}

function listIn({ value }: kplus.EnvValue): string[] {
  return typeof value === 'string' ? value.split(',') : [];
}
