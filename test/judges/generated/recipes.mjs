import { CHART, constructs, depthOf, isOwn, nameOf, propertiesOf, runtime, typeOf, waysTo } from './assembly.mjs';
import { leaves } from './nodes.mjs';
import { Random } from './random.mjs';
import { entriesOf, FITTING, IDS, NO_MEMBER, OTHERS, valuesOf } from './values.mjs';

/** Deeper than this, the simplest. */
const DEEP = 7;

/** How often what is known to fit is kept to: what does not has to come up, too. */
const FITS = 0.85;

const CLUSTER_OPTIONS = 'cdk8s-mlflow.ClusterOptions';

/** The app number `index` of a seed: always the same one. */
export function appOf(seed, index) {
  const random = new Random(`${seed}/${index}`);
  const charts = Array.from({ length: random.chance(0.08) ? 2 : 1 }, (_, number) => chartOf(random, number));
  const app = { kind: 'app', charts };
  const places = [...leaves(app)].filter(({ wrong }) => wrong.length > 0);
  const mistakes = random.weighted([
    [0, 9],
    [1, 4],
    [2, 1],
    [3, 0.5],
  ]);
  for (let count = 0; count < mistakes && places.length > 0; count += 1) {
    const place = random.pick(places);
    place.replaced ??= place.value;
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
  // What a cluster asks of every pod is no construct: it is applied to the chart.
  const settings = random.chance(0.15) ? [{ kind: 'settings', options: maker.struct(CLUSTER_OPTIONS, 0) }] : [];
  return { id: `chart${number === 0 ? '' : number}`, options, parts: [...settings, ...parts] };
}

/** What has many props is made often. */
function weightOf({ initializer }) {
  return propertiesOf(initializer.parameters[2].type.fqn).length;
}

/** Writes calls and values for types, as trees that `synthesize.mjs` runs. */
export class Maker {
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
      const member = this.fitting(
        place,
        members.map(({ name }) => name),
      );
      return { kind: 'leaf', place, fqn: type.fqn, value: runtime(type.fqn)[member], member, wrong: [NO_MEMBER] };
    }
    return datatype ? this.struct(type.fqn, depth) : this.construct(this.wayTo(type.fqn, depth, place), depth, place);
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
    const given = new Set(
      properties.filter((each) => !each.optional || this.random.chance(chance)).map(({ name }) => name),
    );
    if (this.random.chance(FITS)) {
      FITTING.props.filter(([owner]) => owner.test(nameOf(fqn))).forEach(([, adjust]) => adjust(given));
    }
    const fields = properties
      .filter(({ name }) => given.has(name))
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
  wayTo(fqn, depth, place) {
    const ways = waysTo(fqn);
    if (ways.length === 0) {
      throw new Error(`Nothing public makes a ${fqn}.`);
    }
    if (depth < DEEP) {
      return this.fitting(place, ways, ({ fqn: owner, member }) => [nameOf(owner), member].filter(Boolean).join('.'));
    }
    const cost = ({ parameters }) =>
      Math.max(0, ...parameters.filter(({ optional }) => !optional).map(({ type }) => depthOf(type)));
    const least = Math.min(...ways.map(cost));
    return this.random.pick(ways.filter((way) => cost(way) === least));
  }

  /** One of the ways or members, mostly of those that fit this place. */
  fitting(place, candidates, nameBy = (name) => name) {
    const [, fits] = FITTING.ways.find(([pattern]) => pattern.test(place)) ?? [];
    const fit = fits === undefined ? [] : candidates.filter((each) => fits.test(nameBy(each)));
    return this.random.pick(fit.length > 0 && this.random.chance(FITS) ? fit : candidates);
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
