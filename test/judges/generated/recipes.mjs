// An app as a tree that can be printed, made, and made smaller: what to construct, with which props.
import { App } from 'cdk8s';
import { Construct } from 'constructs';

import { constructs, depthOf, isInTree, isOwn, nameOf, propertiesOf, runtime, typeOf, waysTo } from './assembly.mjs';
import { entriesOf, IDS, NO_MEMBER, OTHERS, valuesOf } from './values.mjs';

const CHART = 'cdk8s.Chart';
const DEEP = 5;

/** The app number `index` of a seed: always the same one. */
export function appOf(seed, index) {
  const random = new Random(`${seed}/${index}`);
  const charts = Array.from({ length: random.chance(0.08) ? 2 : 1 }, (_, number) => chartOf(random, number));
  const app = { kind: 'app', charts };
  const places = [...leaves(app)].filter(({ wrong }) => wrong.length > 0);
  const mistakes = random.weighted([
    [0, 2],
    [1, 7],
    [2, 3],
    [3, 1],
  ]);
  for (let count = 0; count < mistakes && places.length > 0; count += 1) {
    const place = random.pick(places);
    place.replaced = place.value;
    place.value = random.pick(random.pick(place.wrong));
  }
  return app;
}

function chartOf(random, number) {
  const maker = new Maker(random);
  const options = maker.struct(`${CHART}Props`, 0);
  const subjects = constructs().map((type) => [type, weightOf(type)]);
  const count = random.weighted([
    [1, 8],
    [2, 2],
  ]);
  const parts = Array.from({ length: count }, () => {
    const { fqn, initializer } = random.weighted(subjects);
    return maker.construct({ kind: 'new', fqn, parameters: initializer.parameters }, 0);
  });
  return { id: `chart${number === 0 ? '' : number}`, options, parts };
}

/** What has many props is made often. */
function weightOf({ initializer }) {
  return propertiesOf(initializer.parameters[2].type.fqn).length;
}

class Maker {
  ids = new Map();

  constructor(random) {
    this.random = random;
  }

  of(place, type, depth) {
    if (type.primitive !== undefined) {
      return this.leaf(place, valuesOf(place, type.primitive));
    }
    if (type.collection !== undefined) {
      return this.collection(place, type.collection, depth);
    }
    if (type.union !== undefined) {
      return this.of(place, this.random.pick(type.union.types), depth);
    }
    const { kind, datatype, members } = typeOf(type.fqn);
    if (kind === 'enum') {
      const member = this.random.pick(members).name;
      return { kind: 'leaf', place, fqn: type.fqn, value: runtime(type.fqn)[member], member, wrong: [NO_MEMBER] };
    }
    return datatype ? this.struct(type.fqn, depth) : this.construct(this.wayTo(type.fqn, depth), depth, place);
  }

  leaf(place, { right, wrong }) {
    return { kind: 'leaf', place, value: this.random.pick(right), wrong };
  }

  collection(place, { kind, elementtype }, depth) {
    const count = this.random.weighted([
      [1, 6],
      [2, 3],
      [0, 0.2],
    ]);
    const numbers = Array.from({ length: count });
    if (kind === 'array') {
      return { kind: 'list', items: numbers.map(() => this.of(place, elementtype, depth + 1)) };
    }
    const { right, wrong } = entriesOf(place);
    const entries = numbers.map(() => {
      const [key, value] = this.random.pick(right);
      const keys = { kind: 'leaf', place: `${place} key`, value: key, wrong: [wrong.map(([bad]) => bad)] };
      const values = wrong.filter((entry) => entry.length > 1).map(([, bad]) => bad);
      return elementtype.primitive === 'string'
        ? [keys, { kind: 'leaf', place, value: value ?? 'x', wrong: values.length > 0 ? [values] : [] }]
        : [keys, this.of(place, elementtype, depth + 1)];
    });
    return { kind: 'map', entries };
  }

  struct(fqn, depth) {
    const properties = propertiesOf(fqn);
    const optional = properties.filter((each) => each.optional);
    const open = isOwn(fqn) || OTHERS.structs.test(nameOf(fqn));
    const wanted = fqn === `${CHART}Props` ? 0.6 : depth === 0 ? 4 : 2;
    const chance = (open ? Math.min(0.5, wanted / optional.length) : 0) / (depth > DEEP ? 5 : 1);
    const fields = properties
      .filter((each) => !each.optional || this.random.chance(chance))
      .filter(({ type }) => depth + depthOf(type) < DEEP * 3)
      .map((each) => [each.name, this.of(`${nameOf(fqn)}.${each.name}`, each.type, depth + 1)]);
    return {
      kind: 'struct',
      fqn,
      fields: new Map(fields),
      needed: properties.filter((each) => !each.optional).map(({ name }) => name),
    };
  }

  /** Deep inside, the simplest. */
  wayTo(fqn, depth) {
    const ways = waysTo(fqn);
    if (ways.length === 0) {
      throw new Error(`Nothing public makes a ${fqn}.`);
    }
    if (depth < DEEP) {
      return this.random.pick(ways);
    }
    const cost = ({ parameters }) =>
      Math.max(0, ...parameters.filter(({ optional }) => !optional).map(({ type }) => depthOf(type)));
    const least = Math.min(...ways.map(cost));
    return this.random.pick(ways.filter((way) => cost(way) === least));
  }

  construct(way, depth, place = '') {
    if (way.kind === 'implement') {
      const fields = way.parameters.map(({ name, type }) => [
        name,
        this.of(`${nameOf(way.fqn)}.${name}`, type, depth + 1),
      ]);
      const methods = way.parameters.filter(({ method }) => method).map(({ name }) => name);
      return { kind: 'implement', fqn: way.fqn, id: this.id(way.fqn), fields: new Map(fields), methods };
    }
    // What another library's value is for shows where it is given.
    const prop = place === '' || isOwn(way.fqn) ? '' : `${place.split(' > ')[0]} > `;
    const owner = prop + [nameOf(way.fqn), way.member].filter(Boolean).join('.');
    const args = way.parameters
      .filter(({ optional }) => !optional || this.random.chance(0.6))
      .map(({ name, type }) => {
        if (type.fqn === 'constructs.Construct') {
          return { kind: 'scope' };
        }
        return name === 'id' ? this.id(way.fqn) : this.of(`${owner}.${name}`, type, depth + 1);
      });
    const needed = way.parameters.filter(({ optional }) => !optional).length;
    return { kind: way.kind, fqn: way.fqn, member: way.member, args, needed };
  }

  id(fqn) {
    const name = `${isOwn(fqn) ? '' : 'my'}${nameOf(fqn)}`
      .replace(/\W/g, '')
      .replace(/(?<=[a-z\d])(?=[A-Z])/g, '-')
      .toLowerCase();
    const count = (this.ids.get(name) ?? 0) + 1;
    this.ids.set(name, count);
    return {
      kind: 'leaf',
      place: `${nameOf(fqn)} id`,
      value: count === 1 ? name : `${name}-${count}`,
      wrong: IDS.wrong,
    };
  }
}

/** The YAML of an app; `while` of what it throws is the call that threw. */
export function synthesize({ charts }) {
  const app = new App();
  const at = { call: undefined };
  try {
    charts.forEach(({ id, options, parts }) => {
      at.call = CHART;
      const chart = new (runtime(CHART))(app, id, make(options));
      parts.forEach((part) => make(part, chart, at));
    });
    at.call = 'synthesis';
    return { yaml: app.synthYaml() };
  } catch (error) {
    return { error, during: at.call };
  }
}

function make(node, scope, at = {}) {
  const within = (call, then) => {
    const before = at.call;
    at.call = call;
    const made = then();
    at.call = before;
    return made;
  };
  switch (node.kind) {
    case 'leaf':
      return node.value;
    case 'scope':
      return scope;
    case 'list':
      return node.items.map((item) => make(item, scope, at));
    case 'map':
      return Object.fromEntries(node.entries.map(([key, value]) => [make(key, scope, at), make(value, scope, at)]));
    case 'struct':
      return fieldsOf(node, scope, at);
    case 'preset':
      return runtime(node.fqn)[node.member];
    case 'implement': {
      const fields = fieldsOf(node, scope, at);
      node.methods.forEach((name) => (fields[name] = constant(fields[name])));
      const self = isInTree(node.fqn) ? within(node.fqn, () => new Construct(scope, make(node.id))) : {};
      return Object.assign(self, fields);
    }
    case 'new': {
      const args = node.args.map((arg) => make(arg, scope, at));
      return within(node.fqn, () => new (runtime(node.fqn))(...args));
    }
    case 'call': {
      const args = node.args.map((arg) => make(arg, scope, at));
      return within(node.fqn, () => runtime(node.fqn)[node.member](...args));
    }
    default:
      throw new Error(`unknown node ${node.kind}`);
  }
}

function constant(value) {
  return () => value;
}

function fieldsOf(node, scope, at) {
  return Object.fromEntries([...node.fields].map(([name, value]) => [name, make(value, scope, at)]));
}

/** An app as somebody would write it. */
export function print({ charts }) {
  return charts
    .flatMap(({ options, parts }) => [
      ...(charts.length > 1 || options.fields.size > 0 ? [`new Chart(app, ${printNode(options)})`] : []),
      ...parts.map(printNode),
    ])
    .join('; ');
}

function printNode(node) {
  switch (node.kind) {
    case 'leaf':
      return node.member !== undefined && node.replaced === undefined
        ? `${nameOf(node.fqn)}.${node.member}`
        : typeof node.value === 'string'
          ? show(node.value)
          : String(node.value);
    case 'scope':
      return 'chart';
    case 'list':
      return `[${node.items.map(printNode).join(', ')}]`;
    case 'map':
      return `{ ${node.entries.map(([key, value]) => `${printNode(key)}: ${printNode(value)}`).join(', ')} }`;
    case 'struct':
      return `{ ${[...node.fields].map(([name, value]) => `${name}: ${printNode(value)}`).join(', ')} }`.replace(
        '{  }',
        '{}',
      );
    case 'preset':
      return `${nameOf(node.fqn)}.${node.member}`;
    case 'implement':
      return `a ${nameOf(node.fqn)} with { ${[...node.fields].map(([name, value]) => `${name}: ${printNode(value)}`).join(', ')} }`;
    default: {
      const name = node.kind === 'new' ? `new ${nameOf(node.fqn)}` : `${nameOf(node.fqn)}.${node.member}`;
      return `${name}(${node.args.map(printNode).join(', ')})`;
    }
  }
}

function show(text) {
  const shown = text.length > 60 ? `${text.slice(0, 8)}…(${text.length})` : text;
  return `'${shown.replaceAll('\n', '\\n')}'`;
}

/** Places and values of what has been made wrong. */
export function mistakesOf(app) {
  return [...leaves(app)].filter((leaf) => 'replaced' in leaf).map((leaf) => `${leaf.place} = ${printNode(leaf)}`);
}

/** The props among them. */
export function placesOf(app) {
  return [...new Set([...leaves(app)].filter((leaf) => 'replaced' in leaf).map(({ place }) => place))];
}

/** The optional props that are given. */
export function givenTo(app) {
  const names = [...nodesOf(app)]
    .filter(({ kind }) => kind === 'struct')
    .flatMap(({ fqn, fields, needed }) =>
      [...fields.keys()].filter((name) => !needed.includes(name)).map((name) => `${nameOf(fqn)}.${name}`),
    );
  return [...new Set(names)];
}

/** A smaller app of which `holds` is still true; it changes the given one. */
export async function shrink(app, holds) {
  let again = true;
  while (again) {
    again = false;
    for (const step of steps(app)) {
      step.do();
      if (await holds(app)) {
        again = true;
      } else {
        step.undo();
      }
    }
  }
  return app;
}

/** What can be left out or put right, from the outside to the inside. */
function* steps(app) {
  yield* withoutEach(app, 'charts', 1);
  for (const chart of app.charts) {
    yield* withoutEach(chart, 'parts', 1);
  }
  for (const node of nodesOf(app)) {
    if (node.kind === 'struct') {
      for (const [name, value] of [...node.fields].filter(([name]) => !node.needed.includes(name))) {
        yield {
          do: () => node.fields.delete(name),
          undo: () => node.fields.set(name, value),
        };
      }
    } else if (node.kind === 'list') {
      yield* withoutEach(node, 'items', 0);
    } else if (node.kind === 'map') {
      yield* withoutEach(node, 'entries', 0);
    } else if (node.args !== undefined && node.args.length > node.needed) {
      const { args } = node;
      yield { do: () => (node.args = args.slice(0, node.needed)), undo: () => (node.args = args) };
    } else if ('replaced' in node) {
      const { value, replaced } = node;
      yield {
        do: () => {
          node.value = replaced;
          delete node.replaced;
        },
        undo: () => Object.assign(node, { value, replaced }),
      };
    }
  }
}

function* withoutEach(owner, name, least) {
  for (const one of owner[name]) {
    const all = owner[name];
    if (all.length > least) {
      yield { do: () => (owner[name] = all.filter((each) => each !== one)), undo: () => (owner[name] = all) };
    }
  }
}

function* leaves(app) {
  for (const node of nodesOf(app)) {
    if (node.kind === 'leaf') {
      yield node;
    }
  }
}

export function* nodesOf(node) {
  yield node;
  const inside = {
    app: () => node.charts.flatMap(({ options, parts }) => [options, ...parts]),
    list: () => node.items,
    map: () => node.entries.flat(),
    struct: () => [...node.fields.values()],
    implement: () => [node.id, ...node.fields.values()],
  }[node.kind];
  for (const each of inside?.() ?? node.args ?? []) {
    yield* nodesOf(each);
  }
}

/** Numbers by a seed (FNV-1a for the text, mulberry32 for what follows). */
class Random {
  constructor(seed) {
    this.state = [...seed].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16777619), 2166136261);
  }

  next() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability) {
    return this.next() < probability;
  }

  pick(values) {
    return values[Math.floor(this.next() * values.length)];
  }

  weighted(pairs) {
    let left = this.next() * pairs.reduce((sum, [, weight]) => sum + weight, 0);
    return (pairs.find(([, weight]) => (left -= weight) < 0) ?? pairs.at(-1))[0];
  }
}
