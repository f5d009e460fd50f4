/** Settings of a pool that determine its connections. */
export interface PoolShape {
  readonly poolSize?: number;
  readonly maxOverflow?: number;
  readonly poolClass?: string;
}

/** Default threads of a worker: anyio's limit, which MLflow does not change. */
export const MOST_THREADS = 40;

/** Engines of a worker, without those of a user database: tracking and model registry, each with a pool of its own. */
const ENGINES = 2;

/** The most connections that a request holds: logging a batch opens a session within a session. */
const CONNECTIONS_PER_REQUEST = 2;

/**
 * Connections of the job runner: one of its own, one in each of its eight consumers, which store the state of their jobs, and two of
 * each job, which is a process with engines of its own (mlflow.server.jobs of 3.18).
 */
export function connectionsOfJobs(jobs: number): number {
  return jobs === 0 ? 0 : 9 + 2 * jobs;
}

/** SQLAlchemy's defaults. */
const SQLALCHEMY = { poolSize: 5, maxOverflow: 10 };

/** The sizes of a pool, with defaults; undefined for NullPool, which has no limit. */
export function sizesOf(shape: PoolShape): { readonly size: number; readonly overflow: number } | undefined {
  if (shape.poolClass === 'NullPool') {
    return undefined;
  }
  const { poolSize = SQLALCHEMY.poolSize, maxOverflow = SQLALCHEMY.maxOverflow } = shape;
  return { size: poolSize, overflow: maxOverflow };
}

/**
 * The most threads of a worker whose requests cannot wait for each other's connections.
 *
 * With N requests in flight, each of which holds a connection and needs a second, N + 1 connections let one of them finish.
 */
export function safeThreads(shape: PoolShape): number {
  const sizes = sizesOf(shape);
  return sizes === undefined ? MOST_THREADS : Math.min(MOST_THREADS, sizes.size + sizes.overflow - 1);
}

/**
 * The most connections that a pod opens.
 *
 * A pool keeps up to its size open, idle ones included, and opens more only while they are in use. The requests of a worker
 * use two for each thread at most, so they can use some of its engines fully while the others keep idle connections.
 *
 * `furtherEngines` are those of the user database: the event loop itself queries it, one connection at a time
 * (mlflow.server.auth). The process that starts the workers keeps one connection in each engine.
 */
export function connectionsOfPod(shape: PoolShape, workers: number, threads: number, furtherEngines = 0): number {
  const engines = ENGINES + furtherEngines;
  const inUse = threads * CONNECTIONS_PER_REQUEST + furtherEngines;
  const sizes = sizesOf(shape);
  if (sizes === undefined) {
    return engines + workers * inUse;
  }
  const capacity = sizes.size + sizes.overflow;
  const full = Math.min(engines, Math.floor(inUse / capacity));
  const partly = full < engines ? Math.max(0, (inUse % capacity) - sizes.size) : 0;
  return engines + workers * (engines * sizes.size + full * sizes.overflow + partly);
}

/** The most connections of a pod with the smallest pool: one kept open, one on demand. */
export function fewestConnectionsOfPod(workers: number, furtherEngines = 0): number {
  return connectionsOfPod({ poolSize: 1, maxOverflow: 1 }, workers, 1, furtherEngines);
}
