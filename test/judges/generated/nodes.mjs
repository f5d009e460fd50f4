// An app as a tree that can be made, printed and made smaller: what to construct, with which props.
import { nameOf } from './assembly.mjs';

/** What somebody gives: the values at the ends of the tree. */
export function* leaves(app) {
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
    settings: () => [node.options],
    list: () => node.items,
    map: () => node.entries.flat(),
    struct: () => [...node.fields.values()],
    implement: () => [node.id, ...node.fields.values()],
  }[node.kind];
  for (const each of inside?.() ?? node.args ?? []) {
    yield* nodesOf(each);
  }
}

/** The props that have been given a mistake. */
export function placesOf(app) {
  return [...new Set(mistaken(app).map(({ place }) => place))];
}

/** The values that have been made wrong. */
export function mistaken(app) {
  return [...leaves(app)].filter((leaf) => 'replaced' in leaf);
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
