// node --test test/judges/generated/recipes.test.mjs, after npm run build: generated apps cover the public API by themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { constructs, propertiesOf, structs } from './assembly.mjs';
import { nodesOf } from './nodes.mjs';
import { print } from './print.mjs';
import { appOf } from './recipes.mjs';

// A rare prop comes up once in some thousands of apps.
const MOST = 60_000;

/** What is left of a list after the nodes of many apps. `taken` says what a node has of it. */
function left(all, taken) {
  const missing = new Set(all);
  for (let index = 0; missing.size > 0 && index < MOST; index += 1) {
    for (const node of nodesOf(appOf('coverage', index))) {
      taken(node).forEach((each) => missing.delete(each));
    }
  }
  return missing;
}

test('a seed gives the same apps each time', () => {
  assert.deepEqual(print(appOf(7, 3)), print(appOf(7, 3)));
  assert.notDeepEqual(print(appOf(7, 3)), print(appOf(8, 3)));
});

test('every construct is made', () => {
  const missing = left(
    constructs().map(({ fqn }) => fqn),
    ({ kind, fqn }) => (kind === 'new' ? [fqn] : []),
  );
  assert.deepEqual([...missing], []);
});

test('every prop is given', () => {
  // Options of methods of what is made: generated apps make objects, and call nothing of them.
  const ofMethods = new Set(
    constructs().flatMap(({ methods = [] }) =>
      methods.filter((each) => !each.static).flatMap(({ parameters = [] }) => parameters.map(({ type }) => type.fqn)),
    ),
  );
  const made = structs().filter((fqn) => !ofMethods.has(fqn));
  assert.ok(made.length > structs().length - 10);
  // A prop of a base is the same object in each struct that inherits it.
  const names = new Map(
    made.flatMap((fqn) => propertiesOf(fqn).map((property) => [property, `${fqn}.${property.name}`])),
  );
  const missing = left(names.keys(), ({ kind, fqn, fields }) =>
    kind === 'struct' ? propertiesOf(fqn).filter(({ name }) => fields.has(name)) : [],
  );
  assert.deepEqual(
    [...missing].map((property) => names.get(property)),
    [],
  );
});
