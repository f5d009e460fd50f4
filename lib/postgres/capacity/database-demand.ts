import type { Construct, IConstruct } from 'constructs';

import type { RuleSubject } from '../../validation/rule';
import type { PostgresConnection } from '../connection/postgres-connection';
import { serverKeys, type ServerKey, serverName } from '../connection/server-names';

/** Connections that PostgreSQL reserves for superusers (`superuser_reserved_connections`). */
export const RESERVED_CONNECTIONS = 3;

/** Connections of a schema migration: the lock, the migration itself, and those that wait for the lock. */
export const MIGRATION_CONNECTIONS = 3;

/** Pods, workers and threads of a server. */
export interface ServerPods {
  /** Most pods, including the one that a rolling update adds. */
  readonly pods: number;
  readonly workers: number;
  readonly threads: number;
  /** Engines of each worker for the user database, besides MLflow's own. */
  readonly furtherEngines: number;
  /** Most jobs of each pod, in processes with connections of their own; 0 without a job runner. */
  readonly jobs: number;
}

/** Pods of a pooler. */
export interface PoolerPods {
  /** Most pods, including the one that a rolling update adds. */
  readonly pods: number;
  readonly reservePoolSize: number;
  /** Whether its pool has a given size. Otherwise it gets what the other clients leave. */
  readonly isFixed: boolean;
}

/** The most connections that a construct opens. */
export interface ConnectionDemand {
  readonly by: Construct;
  readonly connection: PostgresConnection;
  readonly connections: number;
  /** Computation of the number for errors, such as `3 pods x 31`. */
  readonly factors: string;
  /** Pods of the server, if the construct is a server. */
  readonly server?: ServerPods;
  /** Pods of the pooler, if the construct is a pooler. */
  readonly pooler?: PoolerPods;
  /** Whether these are the connections of the database's migration. */
  readonly isMigration?: boolean;
}

/** The constructs that have a connection, and the poolers that it bypasses. */
interface BackendsOf {
  readonly backends: IConstruct[];
  readonly poolers: IConstruct[];
}

type Backends = Map<PostgresConnection, BackendsOf>;

/** The servers of an app. */
interface Servers {
  readonly byKey: Map<ServerKey, DatabaseDemand>;
  /** Found when an error needs them, until another connection is added. */
  backends?: Backends;
}

const SERVERS = new WeakMap<IConstruct, Servers>();

/** A PostgreSQL server or a pooler, and all its clients, of all databases: the subject of the rules on connections. */
export class DatabaseDemand implements RuleSubject {
  /** The demand on the server of a connection, which pods of the scope connect to. */
  public static of(connection: PostgresConnection, scope: IConstruct): DatabaseDemand {
    const { root } = scope.node;
    const servers = SERVERS.get(root) ?? { byKey: new Map<ServerKey, DatabaseDemand>() };
    SERVERS.set(root, servers);
    const keys = serverKeys(connection, scope);
    const known = keys.flatMap((each) => servers.byKey.get(each) ?? []);
    const [server = new DatabaseDemand(root, servers), ...same] = new Set(known);
    if (same.length === 0 && known.length === keys.length) {
      return server;
    }
    for (const other of same) {
      other.connections.forEach((each) => server.connections.add(each));
      other.demands.forEach((each) => {
        server.add(each);
      });
      keys.push(...other.keys);
    }
    server.connections.add(connection);
    for (const key of keys) {
      server.keys.add(key);
      servers.byKey.set(key, server);
    }
    servers.backends = undefined;
    return server;
  }

  /** The demand on the server of a connection that a demand was added for. */
  public static known(connection: PostgresConnection, scope: IConstruct): DatabaseDemand {
    return SERVERS.get(scope.node.root)?.byKey.get(connection) ?? DatabaseDemand.of(connection, scope);
  }

  public readonly connections = new Set<PostgresConnection>();
  public readonly demands: ConnectionDemand[] = [];
  private readonly keys = new Set<ServerKey>();
  private lastServer?: IConstruct;

  private constructor(
    private readonly root: IConstruct,
    private readonly servers: Servers,
  ) {}

  /** Adds the connections of a construct. */
  public add(demand: ConnectionDemand): void {
    this.demands.push(demand);
    this.lastServer = demand.server === undefined ? this.lastServer : demand.by;
  }

  public get constructs(): IConstruct[] {
    const found = [...this.connections].flatMap((each) => this.backends.get(each) ?? []);
    return [
      ...found.flatMap(({ backends, poolers }) => [...backends, ...poolers]),
      ...this.demands.map(({ by }) => by),
    ];
  }

  /** The last server, if there is one: its props determine most connections. */
  public get named(): IConstruct | undefined {
    return this.lastServer ?? this.demands.at(-1)?.by;
  }

  /** Whether clients connect to a pooler. */
  public get isPooler(): boolean {
    return [...this.connections].some(({ bypass }) => bypass !== undefined);
  }

  /** Connection limit, if any connection knows it. */
  public get maxConnections(): number | undefined {
    return [...this.connections].find(({ maxConnections }) => maxConnections !== undefined)?.maxConnections;
  }

  /** Connections for all clients together. */
  public get offered(): number {
    return connectionsOffered(this.maxConnections, this.isPooler) ?? Infinity;
  }

  /** The clients of one database behind a pooler: its pools are per database. */
  public poolOf(connection: PostgresConnection): DatabaseDemand {
    const pool = new DatabaseDemand(this.root, this.servers);
    pool.connections.add(connection);
    for (const demand of this.demands) {
      if (demand.connection === connection) {
        pool.add(demand);
      }
    }
    return pool;
  }

  /** The largest `defaultPoolSize` of the poolers whose other clients fit, too, besides a migration. */
  public largestPoolSize(poolers: (pooler: PoolerPods) => boolean): number {
    // Migrations bypass every pooler, so they use no connections of a pooler behind this one.
    const migrations = Math.max(1, this.demands.filter(({ isMigration }) => isMigration === true).length);
    let connections = this.offered - (this.isPooler ? 0 : migrations * MIGRATION_CONNECTIONS);
    let pods = 0;
    for (const demand of this.demands) {
      if (demand.pooler !== undefined && poolers(demand.pooler)) {
        pods += demand.pooler.pods;
        connections -= demand.pooler.pods * demand.pooler.reservePoolSize;
      } else if (demand.isMigration !== true) {
        connections -= demand.connections;
      }
    }
    return Math.floor(connections / pods);
  }

  /** The server in words, for errors: its backend, or its name where several backends connect to it. */
  public get name(): string {
    const [connection] = this.connections;
    const [first = 'the database', ...others] = new Set([...this.connections].map((each) => this.pathOf(each)));
    return (others.length > 0 ? serverName(this.keys) : connection && this.labelOf(connection, 'id')) ?? first;
  }

  /** A connection in words, for errors: the path of the backend that has it. */
  public pathOf(connection: PostgresConnection): string {
    return this.labelOf(connection, 'path');
  }

  private labelOf(connection: PostgresConnection, by: 'id' | 'path'): string {
    const nameOf = ({ node }: IConstruct): string => (by === 'id' ? `"${node.id}"` : node.path);
    const { backends: [backend] = [], poolers: [pooler] = [] } = this.backends.get(connection) ?? {};
    if (backend !== undefined) {
      return nameOf(backend);
    }
    return pooler === undefined ? 'the database' : `the database behind ${nameOf(pooler)}`;
  }

  // A connection is a value. This finds the constructs that have it in the construct tree.
  private get backends(): Backends {
    if (this.servers.backends !== undefined) {
      return this.servers.backends;
    }
    const found: Backends = new Map();
    this.servers.backends = found;
    const at = (connection: PostgresConnection): BackendsOf => {
      const entry = found.get(connection) ?? { backends: [], poolers: [] };
      found.set(connection, entry);
      return entry;
    };
    for (const each of this.root.node.findAll()) {
      const { connection } = each as { connection?: PostgresConnection };
      if (connection !== undefined) {
        at(connection).backends.push(each);
        if ((connection as Partial<PostgresConnection>).bypass !== undefined) {
          at(connection.unpooled).poolers.push(each);
        }
      }
    }
    return found;
  }
}

/** Connections for clients, if the limit is known. A pooler reserves none. */
export function connectionsOffered(maxConnections: number | undefined, isPooler: boolean): number | undefined {
  return maxConnections === undefined || isPooler ? maxConnections : maxConnections - RESERVED_CONNECTIONS;
}
