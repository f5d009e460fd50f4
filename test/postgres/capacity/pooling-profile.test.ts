import { Duration } from 'cdk8s';
import { PoolingProfile, type PoolingProfileProps } from 'cdk8s-mlflow';

import { container, env, serverManifests } from '../../support/synth';

const PREFIX = 'MLFLOW_SQLALCHEMYSTORE_';

function settings(pooling?: PoolingProfile): Record<string, unknown> {
  const variables = env(container(serverManifests({ pooling }), 'mlflow'));
  return Object.fromEntries(Object.entries(variables).filter(([name]) => name.startsWith(PREFIX)));
}

test.each([
  ['default', undefined, { POOL_SIZE: '10', MAX_OVERFLOW: '1', POOL_RECYCLE: '3600' }],
  ['STANDARD', PoolingProfile.STANDARD, { POOL_SIZE: '10', MAX_OVERFLOW: '1', POOL_RECYCLE: '3600' }],
  ['HIGH_AVAILABILITY', PoolingProfile.HIGH_AVAILABILITY, { POOL_SIZE: '7', MAX_OVERFLOW: '1', POOL_RECYCLE: '3600' }],
  ['NONE', PoolingProfile.NONE, { POOLCLASS: 'NullPool' }],
  ['empty', new PoolingProfile(), {}],
  [
    "the guide's",
    new PoolingProfile({ poolSize: 10, maxOverflow: 20, recycle: Duration.seconds(3600), echo: false }),
    { POOL_SIZE: '10', MAX_OVERFLOW: '20', POOL_RECYCLE: '3600', ECHO: 'false' },
  ],
])('%s sets what it says and nothing else', (_, profile, expected) => {
  const named = Object.fromEntries(Object.entries(expected).map(([name, value]) => [PREFIX + name, value]));
  expect(settings(profile)).toEqual(named);
});

test.each([
  ['STANDARD', PoolingProfile.STANDARD, 10],
  ['HIGH_AVAILABILITY', PoolingProfile.HIGH_AVAILABILITY, 7],
  ["SQLAlchemy's own", new PoolingProfile(), 14],
  ["the guide's", new PoolingProfile({ poolSize: 10, maxOverflow: 20 }), 29],
])('with %s, a worker takes no more requests than can finish', (_, pooling, threads) => {
  const mlflow = container(serverManifests({ pooling }), 'mlflow');
  expect(env(mlflow)).toMatchObject({ SERVER_THREADS: String(threads), PYTHONPATH: '/opt/mlflow/scripts' });
  expect(mlflow.args).toContain(
    '--uvicorn-opts=--log-level=info --timeout-worker-healthcheck=30 --timeout-keep-alive=105 --loop=bounded_loop:new_loop --http=direct_api:Protocol --log-config=/opt/mlflow/scripts/uvicorn_log.json',
  );
});

test.each([
  ['NONE', PoolingProfile.NONE],
  ["the guide's for high availability", new PoolingProfile({ poolSize: 20, maxOverflow: 30 })],
])('with %s, the 40 threads of MLflow are left alone', (_, pooling) => {
  const mlflow = container(serverManifests({ pooling }), 'mlflow');
  expect(env(mlflow).SERVER_THREADS).toBe('40');
});

test('only the server pools', () => {
  const names = Object.keys(env(container(serverManifests(), 'init-mlflow')));
  expect(names.filter((name) => name.startsWith(PREFIX))).toEqual([]);
});

test('extend replaces what it names and leaves the preset alone', () => {
  const extended = PoolingProfile.STANDARD.extend({ echo: true, poolSize: 30 });
  expect(extended).toMatchObject({ poolSize: 30, maxOverflow: 1, echo: true });
  expect(PoolingProfile.STANDARD).toMatchObject({ poolSize: 10, echo: undefined });
});

test('a subclass counts with its own values', () => {
  class Tiny extends PoolingProfile {
    public override readonly poolSize = 3;
  }
  expect(settings(new Tiny({ maxOverflow: 2 }))).toEqual({
    [`${PREFIX}POOL_SIZE`]: '3',
    [`${PREFIX}MAX_OVERFLOW`]: '2',
  });
});

test.each<[PoolingProfileProps, string]>([
  [
    { poolSize: 0 },
    "`pooling.poolSize` must be a whole number from 1, got 0. MLflow ignores 0 and falls back to SQLAlchemy's 5.",
  ],
  [
    { poolSize: -1 },
    "`pooling.poolSize` must be a whole number from 1, got -1. MLflow ignores 0 and falls back to SQLAlchemy's 5.",
  ],
  [
    { maxOverflow: 0 },
    "`pooling.maxOverflow` must be a whole number from 1, got 0. MLflow ignores 0 and falls back to SQLAlchemy's 10.",
  ],
  [
    { maxOverflow: 5.5 },
    "`pooling.maxOverflow` must be a whole number from 1, got 5.5. MLflow ignores 0 and falls back to SQLAlchemy's 10.",
  ],
  [
    { recycle: Duration.seconds(0) },
    '`pooling.recycle` must be a whole number of seconds from 1, got 0. Leave it out to keep connections for ever.',
  ],
  [
    { recycle: Duration.millis(1500) },
    '`pooling.recycle` must be a whole number of seconds from 1, got 1.5. Leave it out to keep connections for ever.',
  ],
  [
    { poolClass: 'StaticPool' },
    '`pooling.poolClass` must be QueuePool or NullPool, got "StaticPool". The other classes of sqlalchemy.pool fail under concurrent requests.',
  ],
  [
    { poolClass: 'NullPool', poolSize: 5 },
    '`pooling.poolClass` must not be NullPool where `poolSize` or `maxOverflow` is set, got "NullPool". It takes no sizes: the server would end with a TypeError.',
  ],
])('refuses %j', (props, message) => {
  expect(() => serverManifests({ pooling: new PoolingProfile(props) })).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test('fewer threads are the caller’s choice, more are refused', () => {
  expect(env(container(serverManifests({ threads: 4 }), 'mlflow')).SERVER_THREADS).toBe('4');
  expect(() => serverManifests({ threads: 11 })).toThrow(
    new Error(
      '[chart/mlflow] `threads` must be a whole number from 1 to 10, got 11. With more, requests can deadlock on connections. Enlarge `pooling`.',
    ),
  );
});

describe('fitting', () => {
  test.each([
    [{ connections: 97 }, 23],
    [{ connections: 97, pods: 2 }, 11],
    [{ connections: 97, pods: 3 }, 7],
    [{ connections: 97, pods: 3, workers: 1 }, 14],
    [{ connections: 10_000, pods: 3 }, 40],
    [{ connections: 8 }, 1],
  ])('%j keeps %i', (options, poolSize) => {
    expect(PoolingProfile.fitting(options)).toMatchObject({ poolSize, maxOverflow: 1 });
  });

  test('says what is missing', () => {
    expect(() => PoolingProfile.fitting({ connections: 23, pods: 3 })).toThrow(
      new Error(
        '[PoolingProfile.fitting] `connections` must be at least 24 for 3 pods of 2 workers, got 23. Lower `pods` or `workers`, or raise max_connections.',
      ),
    );
  });
});
