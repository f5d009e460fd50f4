import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';

import { addRuleOnApp, type Rule, type RuleSubject } from '../validation/rule';

/** Objects of one name, each made twice, by the first construct and by the second. */
interface NameClash extends RuleSubject {
  readonly constructs: readonly [IConstruct, IConstruct];
  readonly namespace: string | undefined;
  /** Kinds of the objects by their name. */
  readonly kinds: Map<string, string[]>;
}

/** An object that the app makes, or that an operator makes of one. */
interface NamedObject {
  readonly kind: string;
  readonly name: string;
}

const LIBRARY = new WeakSet<IConstruct>();
/** Start of the name of each object that is named by its content. */
const NAMED_BY_CONTENT = new WeakMap<ApiObject, string>();
const MADE_OF = new WeakMap<ApiObject, NamedObject[]>();

/** The rule on the names of all objects of an app. */
export const UNIQUE_NAME: Rule<NameClash> = {
  id: 'unique-name',
  description: 'No two objects of an app have the same kind, namespace and name: one would replace the other.',
  validate: ({ constructs: [first], namespace, kinds }) => {
    const objects = [...kinds].map(([name, each]) => `"${name}" (${each.join(', ')})`);
    return [
      [
        `names must be unique in ${namespace === undefined ? 'all charts without a namespace' : `the namespace "${namespace}"`}:`,
        `${first.node.path} makes ${objects.join(' and ')}, too.`,
        'One would replace the other. Give one of them another id, or its chart a namespace of its own.',
      ].join(' '),
    ];
  },
};

/** Adds the rule to the app of a construct of the library, which errors then name as the one that makes its objects. */
export function addUniqueNameRule(construct: IConstruct): void {
  LIBRARY.add(construct);
  addRuleOnApp(construct, UNIQUE_NAME, clashesIn);
}

/** Names an object at the synthesis, by its content: with this text, and what follows from the content. */
export function nameByContent(object: ApiObject, start: string, get: () => string): void {
  NAMED_BY_CONTENT.set(object, start);
  Object.defineProperty(object, 'name', { get });
  Object.defineProperty(object.metadata, 'name', { get });
}

/** Notes what an operator makes of an object, in the same namespace. */
export function addMadeOf(object: ApiObject, ...made: NamedObject[]): void {
  MADE_OF.set(object, made);
}

/** An object of an app, and what an operator makes of it. */
export function objectsOf(object: ApiObject): readonly NamedObject[] {
  return [object, ...(MADE_OF.get(object) ?? [])];
}

function clashesIn(all: readonly IConstruct[]): NameClash[] {
  const firsts = new Map<string, ApiObject>();
  const clashes = new Map<string, NameClash>();
  for (const object of toCompare(all.filter((each) => ApiObject.isApiObject(each)))) {
    const { namespace } = object.metadata;
    for (const { kind, name } of objectsOf(object)) {
      const key = [kind === object.kind ? object.apiGroup : 'core', kind, namespace ?? '', name].join('/');
      const first = firsts.get(key);
      if (first === undefined) {
        firsts.set(key, object);
      } else {
        const constructs = makersOf(first, object);
        const pair = [...constructs.map(({ node }) => node.path), namespace ?? ''].join(' ');
        const clash = clashes.get(pair) ?? { constructs, namespace, kinds: new Map<string, string[]>() };
        clashes.set(pair, clash);
        clash.kinds.set(name, [...(clash.kinds.get(name) ?? []), kind]);
      }
    }
  }
  return [...clashes.values()];
}

/** To name an object by its content costs a rendering: those whose names start like no other are left out. */
function toCompare(objects: readonly ApiObject[]): ApiObject[] {
  const byStart = new Map<string, ApiObject[]>();
  const compared: ApiObject[] = [];
  for (const object of objects) {
    const start = NAMED_BY_CONTENT.get(object);
    if (start === undefined) {
      compared.push(object);
    } else {
      const key = [object.kind, object.metadata.namespace, start].join('/');
      byStart.set(key, [...(byStart.get(key) ?? []), object]);
    }
  }
  return [...compared, ...[...byStart.values()].filter(({ length }) => length > 1).flat()];
}

/** The constructs that make two objects, as their user knows them; the objects themselves, where that is one construct. */
function makersOf(first: ApiObject, second: ApiObject): [IConstruct, IConstruct] {
  const makers: [IConstruct, IConstruct] = [makerOf(first), makerOf(second)];
  return makers[0] === makers[1] ? [first, second] : makers;
}

/** The construct that makes an object, as its user knows it. */
export function makerOf(object: ApiObject): IConstruct {
  const { scopes, scope } = object.node;
  const ofLibrary = [...scopes].reverse().find((each) => LIBRARY.has(each));
  return ofLibrary ?? (scope?.node.defaultChild === object ? scope : object);
}
