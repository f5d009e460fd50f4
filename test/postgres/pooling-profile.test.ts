import { Duration } from 'cdk8s';
import { PoolingProfile, type PoolingProfileProps } from 'cdk8s-mlflow';

import { container, env, serverManifests } from '../support/synth';

const PREFIX = 'MLFLOW_SQLALCHEMYSTORE_';

function settings(pooling?: PoolingProfile): Record<string, unknown> {
  const variables = env(container(serverManifests({ pooling }), 'mlflow'));
  return Object.fromEntries(Object.entries(variables).filter(([name]) => name.startsWith(PREFIX)));
}

test.each([
  ['default', undefined, { POOL_SIZE: '20', MAX_OVERFLOW: '21', POOL_RECYCLE: '3600' }],
  ['STANDARD', PoolingProfile.STANDARD, { POOL_SIZE: '20', MAX_OVERFLOW: '21', POOL_RECYCLE: '3600' }],
  ['HIGH_AVAILABILITY', PoolingProfile.HIGH_AVAILABILITY, { POOL_SIZE: '40', MAX_OVERFLOW: '1', POOL_RECYCLE: '3600' }],
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

test.each([PoolingProfile.STANDARD, PoolingProfile.HIGH_AVAILABILITY])(
  '%#: a preset cannot wait for itself',
  (preset) => {
    // 40 threads in a worker, each of which may hold one connection and ask for a second.
    expect((preset.poolSize ?? 0) + (preset.maxOverflow ?? 0)).toBeGreaterThanOrEqual(41);
  },
);

test('only the server pools', () => {
  const names = Object.keys(env(container(serverManifests(), 'init-mlflow')));
  expect(names.filter((name) => name.startsWith(PREFIX))).toEqual([]);
});

test('extend replaces what it names and leaves the preset alone', () => {
  const extended = PoolingProfile.STANDARD.extend({ echo: true, poolSize: 30 });
  expect(extended).toMatchObject({ poolSize: 30, maxOverflow: 21, echo: true });
  expect(PoolingProfile.STANDARD).toMatchObject({ poolSize: 20, echo: undefined });
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
