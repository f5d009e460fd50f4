import { Duration } from 'cdk8s';

import type { PodPart } from '../../kube/pod/pod-part';
import { checkSeconds, checkWhole } from '../../validation/checks';
import { checkNew } from '../../validation/arguments';
import { texts } from '../../kube/values/env-values';
import type { Problems } from '../../validation/problems';

import { connectionsOfPod, fewestConnectionsOfPod, MOST_THREADS, safeThreads } from './connection-math';

/** The five settings of MLflow for its pool. SQLAlchemy's default holds for those left out. */
export interface PoolingProfileProps {
  /**
   * Connections that each engine keeps open once it has needed them.
   * @default - not set: SQLAlchemy's 5
   */
  readonly poolSize?: number;

  /**
   * Connections that each engine may open above `poolSize`; each is closed as soon as it is given back.
   * @default - not set: SQLAlchemy's 10
   */
  readonly maxOverflow?: number;

  /**
   * Age at which a connection is replaced before its next use. Useful where a firewall drops old connections.
   * @default - not set: never
   */
  readonly recycle?: Duration;

  /**
   * Log every SQL statement. For debugging: it writes data into the log.
   * @default - not set: no
   */
  readonly echo?: boolean;

  /**
   * The class of `sqlalchemy.pool`: `QueuePool`, or `NullPool`, which keeps no connections and takes no sizes.
   * @default - not set: QueuePool
   */
  readonly poolClass?: string;
}

/** Limits that a pool has to fit: see {@link PoolingProfile.fitting}. */
export interface FittingOptions {
  /** Connections that the server may take in all: of `max_connections`, what is not reserved or used by others. */
  readonly connections: number;

  /**
   * Pods at the most, the one that a rolling update adds included.
   * @default 1
   */
  readonly pods?: number;

  /**
   * Worker processes of each pod.
   * @default 2
   */
  readonly workers?: number;

  /**
   * Whether the users are in PostgreSQL, too (`MlflowAuth.basic` and `.oidc`): one more pool in each worker.
   * @default false
   */
  readonly usersInDatabase?: boolean;
}

/**
 * How the server pools its connections to PostgreSQL.
 *
 * Each worker process has one pool for tracking and one for the model registry. A request may hold one connection while it
 * waits for a second (logging a batch does), so N requests at once need N + 1 connections, or they can wait for each other:
 * after 30 s such calls fail with HTTP 400 `QueuePool limit … reached`, which clients do not retry. MLflow serves 40
 * requests at once in a worker, whatever the pool. So the library bounds the threads of a worker to what the pool can
 * serve, `poolSize` + `maxOverflow` - 1: on no profile can requests wait for each other.
 *
 * A pod opens at most 2 + workers × (2 × poolSize + maxOverflow) connections, for a `maxOverflow` of 1 or 2, and 3 + workers ×
 * (3 × poolSize + maxOverflow) where users are in the database. The rule
 * `pool-fits-database` holds the sum of all pods against `maxConnections` of the backend.
 *
 * Extend it, or subclass it, for a profile of your own.
 * @see https://docs.sqlalchemy.org/en/20/core/pooling.html
 */
export class PoolingProfile {
  /**
   * 10 kept and 1 more on demand, so 10 requests at once in each worker: more than a CPU can serve. Two pods of two
   * workers fit the 100 connections that PostgreSQL has by default. Choose it unless you know better.
   */
  public static readonly STANDARD = new PoolingProfile({ poolSize: 10, maxOverflow: 1, recycle: Duration.hours(1) });

  /**
   * 7 kept and 1 more on demand. Three pods of two workers, so two replicas and the one that a rolling update adds, fit the
   * 100 connections that PostgreSQL has by default. Choose it for several replicas on one such database.
   */
  public static readonly HIGH_AVAILABILITY = new PoolingProfile({
    poolSize: 7,
    maxOverflow: 1,
    recycle: Duration.hours(1),
  });

  /** No pool: a connection for each use. Choose it behind an external pooler such as PgBouncer. */
  public static readonly NONE = new PoolingProfile({ poolClass: 'NullPool' });

  /** The largest pool, up to what 40 threads can use, whose connections fit. */
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
  /** Connections that each engine may open above `poolSize`. */
  public readonly maxOverflow?: number;
  /** Age at which a connection is replaced. */
  public readonly recycle?: Duration;
  /** Whether every SQL statement is logged. */
  public readonly echo?: boolean;
  /** The class of `sqlalchemy.pool`. */
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

/** Validates a profile: a preset, or one of the user's own. */
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

/** The environment variables of MLflow for a profile. */
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
