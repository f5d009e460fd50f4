import { nameOf } from './assembly.mjs';
import { mistaken } from './nodes.mjs';

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
    case 'settings':
      return `ClusterSettings.of(chart).apply(${printNode(node.options)})`;
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
  return mistaken(app).map((leaf) => `${leaf.place} = ${printNode(leaf)}`);
}
