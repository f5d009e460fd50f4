import { nodesOf } from './nodes.mjs';

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
