// What a user can write with the public types: which calls make an object, and what they take.
import { isA, isOwn, nameOf, own, runtime, typeOf, types } from '../../../tools/assemblies.mjs';

import { OTHERS } from './values.mjs';

export { isOwn, nameOf, runtime, typeOf };

const CONSTRUCT = 'constructs.Construct';
export const CHART = 'cdk8s.Chart';

const candidates = new Map();

/** Constructs that users put into a chart: the subjects of generated apps. */
export function constructs() {
  return Object.values(own.types).filter((type) => !type.abstract && isConstruct(type));
}

/** Whether it stands in the tree of constructs. */
export const isInTree = (fqn) => isA(fqn, 'constructs.IConstruct');

function isConstruct(type) {
  return type.kind === 'class' && takesScope(type.initializer) && isA(type.fqn, CONSTRUCT);
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

function takesScope(initializer) {
  return initializer?.parameters?.[0]?.type.fqn === CONSTRUCT;
}
