// What the library's own `.jsii` says of its public types, and those of the libraries it stands on; `npm run build` writes it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { OTHERS } from './values.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const require = createRequire(join(ROOT, 'package.json'));
const CONSTRUCT = 'constructs.Construct';
export const CHART = 'cdk8s.Chart';

const own = read(ROOT);
const assemblies = [
  own,
  ...Object.keys(own.dependencies).map((name) => read(dirname(require.resolve(`${name}/package.json`)))),
];
const types = new Map(assemblies.flatMap((assembly) => Object.entries(assembly.types)));
const modules = new Map([
  [own.name, require(ROOT)],
  ...Object.keys(own.dependencies).map((name) => [name, require(name)]),
]);
const candidates = new Map();

export const typeOf = (fqn) => types.get(fqn);
export const isOwn = (fqn) => packageOf(fqn) === own.name;
export const nameOf = (fqn) => fqn.slice(packageOf(fqn).length + 1);

/** Constructs that users put into a chart: the subjects of generated apps. */
export function constructs() {
  return Object.values(own.types).filter((type) => !type.abstract && isConstruct(type));
}

/** Whether it stands in the tree of constructs. */
export const isInTree = (fqn) => isA(fqn, 'constructs.IConstruct');

function isConstruct(type) {
  return type.kind === 'class' && takesScope(type.initializer) && isA(type.fqn, CONSTRUCT);
}

/** What a class, an enum or a namespace is at run time. */
export function runtime(fqn) {
  const path = nameOf(fqn).split('.');
  return path.reduce((inside, name) => inside[name], modules.get(packageOf(fqn)));
}

/** The library's own structs. */
export function structs() {
  return Object.values(own.types)
    .filter(({ datatype }) => datatype)
    .map(({ fqn }) => fqn);
}

/** Every property of a struct, those that it inherits included. */
export function propertiesOf(fqn) {
  const { properties = [], interfaces = [] } = typeOf(fqn);
  return [...interfaces.flatMap(propertiesOf), ...properties].filter(({ docs }) => docs?.stability !== 'deprecated');
}

/** Each way to get an object of a type: constructors, static factories, presets. */
export function waysTo(fqn) {
  if (!candidates.has(fqn)) {
    const sensible = isOwn(fqn) ? undefined : OTHERS.factories[nameOf(fqn)];
    const ways = [...findWays(fqn)];
    candidates.set(fqn, sensible === undefined ? ways : ways.filter(({ member }) => sensible.includes(member)));
  }
  return candidates.get(fqn);
}

function* findWays(fqn) {
  const wanted = typeOf(fqn);
  for (const type of types.values()) {
    // Of another library's interface, the class of that name is enough.
    if (type.kind !== 'class' || (!isOwn(fqn) && type.fqn !== fqn && type.name !== wanted.name.replace(/^I/, ''))) {
      continue;
    }
    if (!type.abstract && type.initializer?.protected !== true && type.initializer && isA(type.fqn, fqn)) {
      yield { kind: 'new', fqn: type.fqn, parameters: type.initializer.parameters ?? [] };
    }
    for (const { name, static: isStatic, returns, parameters = [], docs } of type.methods ?? []) {
      if (isStatic && docs?.stability !== 'deprecated' && isA(returns?.type.fqn, fqn)) {
        yield { kind: 'call', fqn: type.fqn, member: name, parameters };
      }
    }
    for (const { name, const: isConst, type: of } of type.properties ?? []) {
      if (isConst && isA(of.fqn, fqn)) {
        yield { kind: 'preset', fqn: type.fqn, member: name, parameters: [] };
      }
    }
  }
  // One that has effects, such as a server that lets clients in, is made by its class.
  if (wanted.kind === 'interface' && isOwn(fqn) && (wanted.methods ?? []).every(({ returns }) => returns)) {
    const methods = (wanted.methods ?? []).map(({ name, returns }) => ({ name, type: returns.type, method: true }));
    yield { kind: 'implement', fqn, parameters: [...(wanted.properties ?? []), ...methods] };
  }
}

/** Calls that a type needs at least, one in the other: how deep its simplest object is. */
export function depthOf(type, seen = []) {
  if (type.fqn === undefined || seen.includes(type.fqn)) {
    return type.fqn === undefined ? 0 : Infinity;
  }
  const inside = (needed) =>
    Math.max(0, ...needed.filter(({ optional }) => !optional).map((each) => depthOf(each.type, [...seen, type.fqn])));
  const { kind, datatype } = typeOf(type.fqn);
  if (kind === 'enum' || type.fqn === CONSTRUCT) {
    return 0;
  }
  return datatype
    ? inside(propertiesOf(type.fqn))
    : 1 + Math.min(Infinity, ...waysTo(type.fqn).map(({ parameters }) => inside(parameters)));
}

function isA(fqn, wanted) {
  if (fqn === undefined || fqn === wanted) {
    return fqn === wanted;
  }
  const { base, interfaces = [] } = typeOf(fqn) ?? {};
  return [base, ...interfaces].some((each) => each !== undefined && isA(each, wanted));
}

function takesScope(initializer) {
  return initializer?.parameters?.[0]?.type.fqn === CONSTRUCT;
}

function packageOf(fqn) {
  return fqn.slice(0, fqn.indexOf('.'));
}

function read(folder) {
  const found = JSON.parse(readFileSync(join(folder, '.jsii'), 'utf8'));
  return found.schema === 'jsii/file-redirect'
    ? JSON.parse(gunzipSync(readFileSync(join(folder, found.filename))).toString('utf8'))
    : found;
}
