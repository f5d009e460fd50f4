import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import { checkSeconds, checkWhole } from '../kube/checks';
import { texts } from '../kube/env-values';
import type { Problems } from '../kube/problems';

/** The five settings that MLflow takes for its pool. What is left out is not set, and SQLAlchemy's default holds. */
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

/**
 * How the server pools its connections to PostgreSQL.
 *
 * Each worker process has one pool for each engine that it uses: tracking and registry, and more with authentication
 * or jobs. MLflow serves up to 40 requests at a time in a worker and asks twice for a connection while it logs a batch,
 * so an engine whose `poolSize` + `maxOverflow` is 40 or less can wait for itself: after 30 s such calls fail with
 * HTTP 400 `QueuePool limit … reached`, which clients do not retry. From 41 on, every request gets on.
 *
 * A replica opens at most about 2 + workers × min(40 + idle, engines × (poolSize + maxOverflow)) connections.
 *
 * Extend it, or subclass it, for a profile of your own.
 * @see https://docs.sqlalchemy.org/en/20/core/pooling.html
 */
export class PoolingProfile {
  /**
   * 20 kept and 21 more on demand: the least that cannot wait for itself, with half of it kept warm.
   * Choose it unless you know better.
   */
  public static readonly STANDARD = new PoolingProfile({ poolSize: 20, maxOverflow: 21, recycle: Duration.hours(1) });

  /**
   * 40 kept and 1 more on demand: as many in all, but a busy server hardly ever opens a new connection.
   * Choose it for steady load, with a database that has the connections to spare.
   */
  public static readonly HIGH_AVAILABILITY = new PoolingProfile({
    poolSize: 40,
    maxOverflow: 1,
    recycle: Duration.hours(1),
  });

  /** No pool: a connection for each use. Choose it behind an external pooler such as PgBouncer. */
  public static readonly NONE = new PoolingProfile({ poolClass: 'NullPool' });

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

/** What a profile must look like, presets and subclasses alike. */
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

/** The profile as MLflow reads it. */
export function renderPooling(profile: PoolingProfile): Record<string, kplus.EnvValue> {
  const settings = {
    POOL_SIZE: profile.poolSize,
    MAX_OVERFLOW: profile.maxOverflow,
    POOL_RECYCLE: profile.recycle?.toSeconds(),
    ECHO: profile.echo,
    POOLCLASS: profile.poolClass,
  };
  return texts(
    Object.fromEntries(
      Object.entries(settings).flatMap(([name, value]) =>
        value === undefined ? [] : [[`MLFLOW_SQLALCHEMYSTORE_${name}`, value]],
      ),
    ),
  );
}
