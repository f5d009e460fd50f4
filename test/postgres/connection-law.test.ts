import { connectionsOfPod, MOST_THREADS, safeThreads } from '../../lib/postgres/connection-law';

/** Tries every way to spread what the requests hold over two engines, the other way round from the formula. */
function worstSplit(size: number, overflow: number, threads: number): number {
  let worst = 0;
  for (let first = 0; first <= Math.min(size + overflow, 2 * threads); first += 1) {
    const second = Math.min(size + overflow, 2 * threads - first);
    worst = Math.max(worst, Math.max(size, first) + Math.max(size, second));
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
        2 + workers * worstSplit(size, overflow, threads),
      ]);
    }
  }
});

test('as many threads as one connection fewer than the pool has, and never more than MLflow has', () => {
  expect(safeThreads({ poolSize: 10, maxOverflow: 1 })).toBe(10);
  expect(safeThreads({ poolSize: 100, maxOverflow: 1 })).toBe(MOST_THREADS);
  expect(safeThreads({ poolClass: 'NullPool' })).toBe(MOST_THREADS);
});
