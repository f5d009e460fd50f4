import { Duration } from 'cdk8s';

import type { PodPart } from '../../kube/pod/pod-part';
import { checkSeconds, checkWhole } from '../../validation/checks';
import { checkNew } from '../../validation/arguments';
import { texts } from '../../kube/values/env-values';
import type { Problems } from '../../validation/problems';

import { connectionsOfPod, fewestConnectionsOfPod, MOST_THREADS, safeThreads } from './connection-math';

/** Props of {@link PoolingProfile}: the pool settings of MLflow. Those that are not set have SQLAlchemy's default. */
export interface PoolingProfileProps {
  /**
   * Connections that each engine keeps open after their first use.
   * @default - not set: SQLAlchemy's 5
   */
  readonly poolSize?: number;

  /**
   * Connections that each engine opens beyond `poolSize`. Each is closed after its use.
   * @default - not set: SQLAlchemy's 10
   */
  readonly maxOverflow?: number;

  /**
   * Age from which a connection is replaced before its next use. Set it if a firewall drops old connections.
   * @default - not set: never
   */
  readonly recycle?: Duration;

  /**
   * Log every SQL statement. For debugging: the log then contains data.
   * @default - not set: no
   */
  readonly echo?: boolean;

  /**
   * Class of `sqlalchemy.pool`: `QueuePool`, or `NullPool`, which keeps no connections open and has no sizes.
   * @default - not set: QueuePool
   */
  readonly poolClass?: string;
}

/** Options of {@link PoolingProfile.fitting}. */
export interface FittingOptions {
  /** Connections for all pods together: `max_connections` without those that are reserved or used by others. */
  readonly connections: number;

  /**
   * Most pods, including the one that a rolling update adds.
   * @default 1
   */
  readonly pods?: number;

  /**
   * Worker processes of each pod.
   * @default 2
   */
  readonly workers?: number;

  /**
   * Whether MLflow's users are in PostgreSQL, too (`MlflowAuth.basic` and `.oidc`): one more pool in each worker.
   * @default false
   */
  readonly usersInDatabase?: boolean;
}

/**
 * Connection pool of the server.
 *
 * Each worker process has one pool for tracking and one for the model registry. A request may hold one connection while it
 * waits for a second (to log a batch, for example). So N requests in flight need N + 1 connections; otherwise they can wait for each
 * other, and fail after 30 s with HTTP 400 `QueuePool limit … reached`, which clients do not retry. By default, a worker of MLflow
 * serves 40 requests at once, whatever its pool. The library limits the threads of a worker to `poolSize` + `maxOverflow` - 1, so
 * that requests never wait for each other.
 *
 * A pod opens at most 2 + workers × (2 × poolSize + maxOverflow) connections, for a `maxOverflow` of 1 or 2, and 3 + workers ×
 * (3 × poolSize + maxOverflow) with users in the database. The rule `pool-fits-database` compares the sum of all pods with
 * `maxConnections` of the backend.
 *
 * For a profile of your own, call `extend` or make a subclass.
 * @see https://docs.sqlalchemy.org/en/20/core/pooling.html
 */
export class PoolingProfile {
  /**
   * 10 connections kept open and 1 more on demand, for 10 requests at once in each worker: more than a CPU can serve. Two pods of
   * two workers fit PostgreSQL's default of 100 connections. The default: choose it for one replica.
   */
  public static readonly STANDARD = new PoolingProfile({ poolSize: 10, maxOverflow: 1, recycle: Duration.hours(1) });

  /**
   * 7 connections kept open and 1 more on demand. Three pods of two workers (two replicas and the pod that a rolling update adds)
   * fit PostgreSQL's default of 100 connections. Choose it for two replicas on such a database.
   */
  public static readonly HIGH_AVAILABILITY = new PoolingProfile({
    poolSize: 7,
    maxOverflow: 1,
    recycle: Duration.hours(1),
  });

  /** No pool: a new connection for each use. Choose it with an external pooler such as PgBouncer. */
  public static readonly NONE = new PoolingProfile({ poolClass: 'NullPool' });

  /** The largest pool whose connections fit, up to 40 + 1 connections, for 40 threads. */
  public static fitting(options: FittingOptions): PoolingProfile {
    const { connections, pods = 1, workers = 2 } = options;
    const furtherEngines = options.usersInDatabase === true ? 1 : 0;
    for (let poolSize = MOST_THREADS; poolSize >= 1; poolSize -= 1) {
      const profile = new PoolingProfile({ poolSize, maxOverflow: 1, recycle: Duration.hours(1) });
      if (pods * connectionsOfPod(profile, workers, safeThreads(profile), furtherEngines) <= connections) {
        return profile;
      }
    }
    throw new Error(
      `[PoolingProfile.fitting] \`connections\` must be at least ${String(pods * fewestConnectionsOfPod(workers, furtherEngines))} for ${String(pods)} pods of ${String(workers)} workers, got ${String(connections)}. Lower \`pods\` or \`workers\`, or raise max_connections.`,
    );
  }

  /** Connections that each engine keeps open. */
  public readonly poolSize?: number;
  /** Connections that each engine opens beyond `poolSize`. */
  public readonly maxOverflow?: number;
  /** Age from which a connection is replaced. */
  public readonly recycle?: Duration;
  /** Whether every SQL statement is logged. */
  public readonly echo?: boolean;
  /** Class of `sqlalchemy.pool`. */
  public readonly poolClass?: string;

  public constructor(props: PoolingProfileProps = {}) {
    checkNew('PoolingProfile', props);
    this.poolSize = props.poolSize;
    this.maxOverflow = props.maxOverflow;
    this.recycle = props.recycle;
    this.echo = props.echo;
    this.poolClass = props.poolClass;
  }

  /** This profile with some of its settings replaced. */
  public extend(props: PoolingProfileProps): PoolingProfile {
    const { poolSize, maxOverflow, recycle, echo, poolClass } = this;
    return new PoolingProfile({ poolSize, maxOverflow, recycle, echo, poolClass, ...props });
  }
}

/** Validates the prop `pooling`. */
export function checkPooling(problems: Problems, profile: PoolingProfile): void {
  const { poolSize, maxOverflow, recycle, poolClass } = profile;
  checkWhole(
    problems,
    'pooling.poolSize',
    poolSize,
    { least: 1 },
    "MLflow ignores 0 and falls back to SQLAlchemy's 5.",
  );
  checkWhole(
    problems,
    'pooling.maxOverflow',
    maxOverflow,
    { least: 1 },
    "MLflow ignores 0 and falls back to SQLAlchemy's 10.",
  );
  checkSeconds(problems, 'pooling.recycle', recycle, 'Leave it out to keep connections for ever.');
  if (poolClass !== undefined && poolClass !== 'QueuePool' && poolClass !== 'NullPool') {
    problems.add(
      'pooling.poolClass',
      'must be QueuePool or NullPool',
      poolClass,
      'The other classes of sqlalchemy.pool fail under concurrent requests.',
    );
  } else if (poolClass === 'NullPool' && (poolSize ?? maxOverflow) !== undefined) {
    problems.add(
      'pooling.poolClass',
      'must not be NullPool where `poolSize` or `maxOverflow` is set',
      poolClass,
      'It takes no sizes: the server would end with a TypeError.',
    );
  }
}

/** The part of each container of MLflow: the variables of its pool settings. */
export function poolingPart(profile: PoolingProfile): PodPart {
  const settings = {
    POOL_SIZE: profile.poolSize,
    MAX_OVERFLOW: profile.maxOverflow,
    POOL_RECYCLE: profile.recycle?.toSeconds(),
    ECHO: profile.echo,
    POOLCLASS: profile.poolClass,
  };
  const set = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [[`MLFLOW_SQLALCHEMYSTORE_${name}`, value] as const],
  );
  return { of: 'pooling', envVariables: texts(Object.fromEntries(set)) };
}
