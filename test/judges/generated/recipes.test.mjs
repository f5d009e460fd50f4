// node --test test/judges/generated/recipes.test.mjs, after npm run build: generated apps cover the public API by themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { constructs, propertiesOf, structs } from './assembly.mjs';
import { nodesOf } from './nodes.mjs';
import { print } from './print.mjs';
import { appOf } from './recipes.mjs';

const apps = Array.from({ length: 9000 }, (_, index) => appOf('coverage', index));
const nodes = apps.flatMap((app) => [...nodesOf(app)]);

test('a seed gives the same apps each time', () => {
  assert.deepEqual(print(appOf(7, 3)), print(appOf(7, 3)));
  assert.notDeepEqual(print(appOf(7, 3)), print(appOf(8, 3)));
});

test('every construct is made', () => {
  const made = new Set(nodes.filter(({ kind }) => kind === 'new').map(({ fqn }) => fqn));
  assert.deepEqual(
    constructs()
      .map(({ fqn }) => fqn)
      .filter((fqn) => !made.has(fqn)),
    [],
  );
});

test('every prop is given', () => {
  // A prop of a base is the same object in each struct that inherits it.
  const given = new Set(
    nodes
      .filter(({ kind }) => kind === 'struct')
      .flatMap(({ fqn, fields }) => propertiesOf(fqn).filter(({ name }) => fields.has(name))),
  );
  // Options of methods of what is made: generated apps make objects, and call nothing of them.
  const ofMethods = new Set(
    constructs().flatMap(({ methods = [] }) =>
      methods.filter((each) => !each.static).flatMap(({ parameters = [] }) => parameters.map(({ type }) => type.fqn)),
    ),
  );
  const made = structs().filter((fqn) => !ofMethods.has(fqn));
  assert.ok(made.length > structs().length - 10);
  const all = made.flatMap((fqn) => propertiesOf(fqn).map((property) => [`${fqn}.${property.name}`, property]));
  assert.deepEqual(
    all.filter(([, property]) => !given.has(property)).map(([name]) => name),
    [],
  );
});
