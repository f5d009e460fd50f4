// npm run shapes, after a change of the public API: writes the types of all that users give to the library, as `.jsii` has them,
// to lib/validation/public-api.json. With --check it compares only.
import { readFileSync, writeFileSync } from 'node:fs';
import { URL } from 'node:url';

import { isA, isOwn, membersOf, nameOf, own, runtime, typeOf } from './assemblies.mjs';

const ROOT = new URL('..', import.meta.url);
const FILE = new URL('lib/validation/public-api.json', ROOT);

const table = new Map();
Object.keys(own.types).sort().forEach(add);
const lines = [...table]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`);
const text = `{\n${lines.join(',\n')}\n}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, text);
  writeFileSync(new URL('build/lib/validation/public-api.json', ROOT), text);
} else if (readFileSync(FILE, 'utf8') !== text) {
  console.error('lib/validation/public-api.json is not current: run npm run shapes');
  process.exitCode = 1;
}

/** Adds a type, and all that it leads to. Names of own types have no package. */
function add(fqn) {
  const name = referenceTo(fqn);
  if (!table.has(name)) {
    table.set(name, undefined);
    table.set(name, entryOf(typeOf(fqn)));
  }
  return name;
}

function entryOf(type) {
  const { fqn, kind, datatype } = type;
  if (kind === 'enum') {
    return { enum: Object.fromEntries(type.members.map(({ name }) => [name, runtime(fqn)[name]])) };
  }
  if (datatype) {
    return { struct: memberTypes(membersOf(fqn, 'properties'), isOwn(fqn)) };
  }
  if (isOwn(fqn)) {
    return kind === 'interface' ? ownInterface(fqn) : ownClass(type);
  }
  // What another library requires of its own types may grow with its versions: what it is known by will do.
  const needed = membersOf(fqn, 'properties').filter((each) => isOfInstance(each) && !each.optional);
  if (kind === 'interface') {
    return { interface: memberTypes(needed, false) };
  }
  const members = [needed, membersOf(fqn, 'methods').filter(isOfInstance)].find(({ length }) => length > 0);
  return { has: members?.map(({ name }) => name) ?? hiddenMembers(fqn) };
}

/** Of a class that shows nothing of itself. */
function hiddenMembers(fqn) {
  const optional = membersOf(fqn, 'properties').filter(isOfInstance);
  const names = Object.getOwnPropertyNames(runtime(fqn).prototype).filter((name) => name !== 'constructor');
  return optional.length > 0 ? optional.map(({ name }) => name) : names;
}

function ownInterface(fqn) {
  return {
    interface: memberTypes(membersOf(fqn, 'properties'), true),
    has: (typeOf(fqn).methods ?? []).map(({ name }) => name),
    ways: Object.values(own.types)
      .filter(({ kind, fqn: each }) => kind === 'class' && isA(each, fqn))
      .map(({ name }) => name)
      .sort(),
  };
}

function ownClass({ fqn, abstract, initializer, methods = [], properties = [] }) {
  const calls = (isStatic) =>
    Object.fromEntries(
      methods
        .filter((each) => (each.static ?? false) === isStatic && each.parameters !== undefined)
        .map(({ name, parameters }) => [name, memberTypes(parameters, true)]),
    );
  const isConstructed = initializer !== undefined && abstract !== true;
  const makes = ({ static: isStatic, type }) => isStatic && type?.fqn === fqn;
  return {
    ...(isConstructed && initializer.parameters && { new: memberTypes(initializer.parameters, true) }),
    static: calls(true),
    instance: calls(false),
    ways: [
      ...(isConstructed ? [`new ${nameOf(fqn)}()`] : []),
      ...properties.filter(makes).map(({ name }) => `${nameOf(fqn)}.${name}`),
      ...methods
        .filter((each) => makes({ ...each, type: each.returns?.type }))
        .map(({ name }) => `${nameOf(fqn)}.${name}()`),
    ],
    is: Object.keys(own.types)
      .filter((each) => each !== fqn && isA(fqn, each))
      .map(nameOf),
  };
}

/**
 * Types by name, in order: `string`, `string[]`, `string{}` (a map), `string~` (one that may be empty), or a type of this table;
 * `?` is optional, `...` any number.
 */
function memberTypes(members, isOurs) {
  return Object.fromEntries(
    members.map(({ name, type, optional, variadic, docs }) => {
      const mayBeEmpty = type.primitive === 'string' && (!isOurs || docs?.custom?.mayBeEmpty !== undefined);
      return [name, `${typeName(type)}${mayBeEmpty ? '~' : ''}${variadic ? '...' : optional ? '?' : ''}`];
    }),
  );
}

function typeName({ primitive, collection, fqn }) {
  if (collection !== undefined) {
    return `${typeName(collection.elementtype)}${collection.kind === 'map' ? '{}' : '[]'}`;
  }
  return primitive ?? (fqn === undefined ? 'any' : add(fqn));
}

function referenceTo(fqn) {
  return isOwn(fqn) ? nameOf(fqn) : fqn;
}

function isOfInstance({ static: isStatic, protected: isProtected, docs }) {
  return !isStatic && !isProtected && docs?.stability !== 'deprecated';
}
