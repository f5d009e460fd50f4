import { connectionsOfPod, MOST_THREADS, safeThreads } from '../../../lib/postgres/capacity/connection-math';

/** Tries every way to spread what is in use over the engines, the other way round from the formula. */
function worstSplit(size: number, overflow: number, inUse: number, engines: number): number {
  if (engines === 0) {
    return 0;
  }
  let worst = 0;
  for (let here = 0; here <= Math.min(size + overflow, inUse); here += 1) {
    worst = Math.max(worst, Math.max(size, here) + worstSplit(size, overflow, inUse - here, engines - 1));
  }
  return worst;
}

test.each([1, 2, 4])('%i workers: the formula is the worst of all cases', (workers) => {
  for (let size = 1; size <= 45; size += 4) {
    for (let overflow = 1; overflow <= 40; overflow += 3) {
      const shape = { poolSize: size, maxOverflow: overflow };
      const threads = safeThreads(shape);
      expect([size, overflow, connectionsOfPod(shape, workers, threads)]).toEqual([
        size,
        overflow,
        2 + workers * worstSplit(size, overflow, 2 * threads, 2),
      ]);
    }
  }
});

test('users in the database are one engine more, which the event loop asks, too', () => {
  for (const [size, overflow] of [
    [1, 1],
    [7, 1],
    [10, 1],
    [5, 10],
    [3, 4],
  ] as const) {
    const shape = { poolSize: size, maxOverflow: overflow };
    const threads = safeThreads(shape);
    expect(connectionsOfPod(shape, 2, threads, 1)).toBe(3 + 2 * worstSplit(size, overflow, 2 * threads + 1, 3));
  }
  expect(connectionsOfPod({ poolClass: 'NullPool' }, 1, 40, 1)).toBe(3 + 2 * 40 + 1);
});

test('as many threads as one connection fewer than the pool has, and never more than MLflow has', () => {
  expect(safeThreads({ poolSize: 10, maxOverflow: 1 })).toBe(10);
  expect(safeThreads({ poolSize: 100, maxOverflow: 1 })).toBe(MOST_THREADS);
  expect(safeThreads({ poolClass: 'NullPool' })).toBe(MOST_THREADS);
});
