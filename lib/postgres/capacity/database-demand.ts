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
  /** Whether each pod runs jobs, in processes with connections of their own. */
  readonly jobExecution: boolean;
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

const SERVERS = new WeakMap<IConstruct, Map<ServerKey, DatabaseDemand>>();

/** Backends by connection, and poolers by the connection that they bypass. */
type Backends = Map<PostgresConnection, { readonly backends: IConstruct[]; readonly poolers: IConstruct[] }>;

const BACKENDS = new WeakMap<IConstruct, Backends>();

/** A PostgreSQL server or a pooler, and all its clients, of all databases: the subject of the rules on connections. */
export class DatabaseDemand implements RuleSubject {
  /** The demand on the server of a connection, which pods of the scope connect to. */
  public static of(connection: PostgresConnection, scope: IConstruct): DatabaseDemand {
    const { root } = scope.node;
    const servers = SERVERS.get(root) ?? new Map<ServerKey, DatabaseDemand>();
    SERVERS.set(root, servers);
    const keys = serverKeys(connection, scope);
    const [server = new DatabaseDemand(root), ...same] = new Set(keys.flatMap((each) => servers.get(each) ?? []));
    for (const other of same) {
      other.connections.forEach((each) => server.connections.add(each));
      server.demands.push(...other.demands);
      keys.push(...other.keys);
    }
    server.connections.add(connection);
    for (const key of keys) {
      server.keys.add(key);
      servers.set(key, server);
    }
    return server;
  }

  /** All servers and poolers of an app. */
  public static allIn(app: IConstruct): DatabaseDemand[] {
    BACKENDS.delete(app);
    return [...new Set(SERVERS.get(app)?.values())];
  }

  public readonly connections = new Set<PostgresConnection>();
  public readonly demands: ConnectionDemand[] = [];
  private readonly keys = new Set<ServerKey>();

  private constructor(private readonly root: IConstruct) {}

  /** Servers come last, so that errors name one: their props determine most connections. */
  public get constructs(): IConstruct[] {
    const others = this.demands.filter(({ server }) => server === undefined);
    const servers = this.demands.filter(({ server }) => server !== undefined);
    const found = [...this.connections].flatMap((each) => this.backends.get(each) ?? []);
    return [
      ...found.flatMap(({ backends }) => backends),
      ...found.flatMap(({ poolers }) => poolers),
      ...[...others, ...servers].map(({ by }) => by),
    ];
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

  /** The clients of each database behind a pooler: its pools are per database. */
  public get pools(): DatabaseDemand[] {
    return [...this.connections]
      .filter(({ serverConnections }) => serverConnections !== undefined)
      .map((connection) => {
        const pool = new DatabaseDemand(this.root);
        pool.connections.add(connection);
        pool.demands.push(...this.demands.filter((demand) => demand.connection === connection));
        return pool;
      });
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
    const [first = 'the database', ...others] = new Set([...this.connections].map((each) => this.labelOf(each)));
    return others.length > 0 ? (serverName(this.keys) ?? first) : first;
  }

  /** A connection in words, for errors: the backend that has it. */
  public labelOf(connection: PostgresConnection, nameOf = ({ node }: IConstruct): string => `"${node.id}"`): string {
    const { backends: [backend] = [], poolers: [pooler] = [] } = this.backends.get(connection) ?? {};
    if (backend !== undefined) {
      return nameOf(backend);
    }
    return pooler === undefined ? 'the database' : `the database behind ${nameOf(pooler)}`;
  }

  // A connection is a value. This finds the constructs that have it in the construct tree, once for all servers of the app.
  private get backends(): Backends {
    const found: Backends = BACKENDS.get(this.root) ?? new Map();
    if (!BACKENDS.has(this.root)) {
      BACKENDS.set(this.root, found);
      const at = (connection: PostgresConnection) => {
        const entry = found.get(connection) ?? { backends: [], poolers: [] };
        found.set(connection, entry);
        return entry;
      };
      for (const each of this.root.node.findAll()) {
        const { connection } = each as { connection?: Partial<PostgresConnection> };
        if (connection !== undefined) {
          at(connection as PostgresConnection).backends.push(each);
        }
        if (connection?.bypass !== undefined) {
          at(connection.bypass).poolers.push(each);
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
