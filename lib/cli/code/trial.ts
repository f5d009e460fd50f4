import * as cdk8sModule from 'cdk8s';
import * as kplusModule from 'cdk8s-plus-28';

import * as libraryModule from '../../index';
import { type Code, isName, type Module, type Name, type Program } from './code';

type Members = Record<string, unknown>;
type Scope = Map<string, unknown>;

const MODULES: Readonly<Record<Module, unknown>> = {
  cdk8s: cdk8sModule,
  'cdk8s-mlflow': libraryModule,
  'cdk8s-plus-28': kplusModule,
};

/** Synthesizes a program without printing it, and returns what is wrong with it: lines of errors. */
export function trialErrors({ id, namespace, statements }: Program): string[] {
  try {
    const app = new cdk8sModule.App();
    const variables: Scope = new Map();
    const chart = new cdk8sModule.Chart(app, id, { namespace });
    for (const { variable, code } of statements) {
      variables.set(variable ?? '', valueOf(code, chart, variables));
    }
    app.synthYaml();
    return [];
  } catch (error) {
    return (error as Error).message
      .split('\n')
      .flatMap((line) => (/^Validation failed|^\s*$/.test(line) ? [] : [line.trim()]));
  }
}

function valueOf(code: Code, chart: cdk8sModule.Chart, variables: Scope): unknown {
  const of = (each: Code): unknown => valueOf(each, chart, variables);
  const owner = (each: Name | Code): unknown => (isName(each) ? named(each) : of(each));
  switch (code.kind) {
    case 'value':
      return code.value;
    case 'list':
      return code.items.map(of);
    case 'map':
      return Object.fromEntries(code.entries.map(([key, each]) => [key, of(each)]));
    case 'struct':
      return Object.fromEntries(code.fields.map(({ name, value }) => [name, of(value)]));
    case 'new':
      return new (named(code.name) as new (...args: unknown[]) => unknown)(...code.args.map(of));
    case 'call': {
      const target = owner(code.of) as Record<string, (...args: unknown[]) => unknown>;
      return target[code.method]?.(...code.args.map(of));
    }
    case 'member':
      return (owner(code.of) as Members)[code.member];
    case 'variable':
      return variables.get(code.name);
    case 'scope':
      return chart;
  }
}

function named({ module, name }: Name): unknown {
  return name.split('.').reduce<unknown>((of, part) => (of as Members)[part], MODULES[module]);
}
