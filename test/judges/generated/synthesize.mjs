import { App } from 'cdk8s';
import { Construct } from 'constructs';

import { CHART, isInTree, runtime } from './assembly.mjs';

const SETTINGS = 'cdk8s-mlflow.ClusterSettings';

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

/** The value of a node, with its constructs below `scope`. */
export function make(node, scope, at = {}) {
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
    case 'settings': {
      const options = make(node.options, scope, at);
      return within(SETTINGS, () => runtime(SETTINGS).of(scope).apply(options));
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
