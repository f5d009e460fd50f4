import * as library from 'cdk8s-mlflow';

import { anyBackend, chart } from '../support/synth';

import {
  ARTIFACT_STORES,
  AUTOSCALING,
  BACKENDS,
  CONTRACTS,
  LOGINS,
  type Make,
  OPERATIONS,
  WITHOUT_CONTRACT,
} from './registered';

const exported: Record<string, unknown> = { ...library };

test('every exported class has a contract, or a reason to have none', () => {
  const classes = Object.keys(exported).filter((name) => typeof exported[name] === 'function');
  expect([...Object.keys(CONTRACTS), ...Object.keys(WITHOUT_CONTRACT)].sort()).toEqual(classes.sort());
});

test.each([
  ['MlflowAuth', library.MlflowAuth, LOGINS],
  ['Autoscaling', library.Autoscaling, AUTOSCALING],
])('every factory of %s is registered', (_, of, table) => {
  const factories = Object.entries(Object.getOwnPropertyDescriptors(of)).filter(
    ([, { value }]) => value instanceof Function,
  );
  expect(Object.keys(table).sort()).toEqual(factories.map(([name]) => name).sort());
});

test('a class that is registered is made there', () => {
  const cases: Record<string, Make<unknown>[]> = {
    ...Object.fromEntries(Object.entries(BACKENDS).map(([name, makers]) => [name, Object.values(makers)])),
    ...Object.fromEntries(Object.entries(ARTIFACT_STORES).map(([name, makers]) => [name, Object.values(makers)])),
    ...Object.fromEntries(
      Object.entries(OPERATIONS).map(([name, make]) => [name, [(scope) => make(scope, anyBackend(scope), {})]]),
    ),
    MlflowAuth: Object.values(LOGINS),
    Autoscaling: Object.values(AUTOSCALING).map((make) => () => make(2)),
  };
  expect(Object.keys(cases).sort()).toEqual(Object.keys(CONTRACTS).sort());
  for (const [name, makers] of Object.entries(cases)) {
    const made = makers.map((make) => make(chart()));
    expect([name, made.some((each) => each instanceof (exported[name] as new () => unknown))]).toEqual([name, true]);
  }
});
