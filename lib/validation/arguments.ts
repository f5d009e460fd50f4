import type { Construct, IConstruct } from 'constructs';

import { appError } from './app-language';
import { type Types, TYPES } from './public-api';
import { checkOf, fieldOf, isInstance, membersOf, type Mismatch, nameType } from './type-check';

/** What is wrong with a field, in a whole sentence. */
export interface FieldProblem {
  readonly field: string;
  readonly text: string;
}

// By scope and id: a construct does not exist before its arguments have been validated.
const HARMLESS = new WeakMap<IConstruct, Map<string, readonly FieldProblem[]>>();

/** Validates the types of a constructor's arguments, and throws one error with all that do not fit. */
export function checkNew(type: string, ...args: readonly unknown[]): void {
  throwIfAny(type, constructorOf(type), args, mismatchesIn(constructorOf(type), args));
}

/**
 * As {@link checkNew}, for a construct; returns the arguments of its base. What other checks can live with waits for
 * `Problems`, which throws it with what they find.
 */
export function checkConstruct(type: string, scope: Construct, id: string, props: unknown): [Construct, string] {
  const types = constructorOf(type);
  const args = [scope, id, props];
  const found = mismatchesIn(types, args);
  if (found.length > 0) {
    throwIfAny(type, types, args, found.every(({ isHarmless, field }) => isHarmless && field !== 'id') ? [] : found);
    const ofScope = HARMLESS.get(scope) ?? new Map<string, readonly FieldProblem[]>();
    HARMLESS.set(scope, ofScope.set(id, found));
  }
  return [scope, id];
}

/** What {@link checkConstruct} has found and not thrown. */
export function harmlessProblemsOf(construct: IConstruct): readonly FieldProblem[] {
  const { scope, id } = construct.node;
  const ofScope = scope && HARMLESS.get(scope);
  const found = ofScope?.get(id) ?? [];
  ofScope?.delete(id);
  return found;
}

/** Whether a value is of a class of the library, this copy of it or another. */
export function isOf(type: string, value: unknown): boolean {
  return typeof value === 'object' && value !== null && isInstance(value, type);
}

/** What does not fit about a value that a user's own code has returned, in whole sentences. */
export function typeProblemsOf(type: string, name: string, value: unknown): readonly string[] {
  return checkOf(type)(value).map(({ field, say }) => say(fieldOf(name, field)));
}

/** Makes the static and instance methods of the library's classes validate their arguments. */
export function checkCalls(library: Readonly<Record<string, unknown>>): void {
  for (const [name, type] of Object.entries(library)) {
    if (typeof type === 'function') {
      const prototype = type.prototype as object;
      nameType(prototype, name);
      checkMethods(type, name, TYPES[name]?.static);
      checkMethods(prototype, name, TYPES[name]?.instance);
    }
  }
}

function checkMethods(owner: object, type: string, methods: Readonly<Record<string, Types>> = {}): void {
  for (const [method, types] of Object.entries(methods)) {
    const original = Reflect.get(owner, method) as (...args: unknown[]) => unknown;
    const value = function (this: unknown, ...args: unknown[]): unknown {
      throwIfAny(pathOf(this) ?? `${type}.${method}`, types, args, mismatchesIn(types, args));
      return original.apply(this, args);
    };
    Object.defineProperty(owner, method, { value, writable: true, configurable: true });
  }
}

function constructorOf(type: string): Types {
  const types = TYPES[type]?.new;
  if (types === undefined) {
    throw new Error(`lib/validation/public-api.json has no constructor of ${type}: run npm run shapes.`);
  }
  return types;
}

function mismatchesIn(types: Types, args: readonly unknown[]): readonly (FieldProblem & Mismatch)[] {
  return membersOf(types).flatMap(({ name, type, isVariadic, check }, i) =>
    (isVariadic ? args.slice(i) : [args[i]]).flatMap((value) =>
      check(value).map((mismatch) => {
        // The members of props and options are known by their own names.
        const owner = TYPES[type]?.struct === undefined || mismatch.field === '' ? name : '';
        const field = fieldOf(owner, mismatch.field);
        return { ...mismatch, field, text: mismatch.say(field) };
      }),
    ),
  );
}

function throwIfAny(where: string, types: Types, args: readonly unknown[], found: readonly FieldProblem[]): void {
  if (found.length > 0) {
    const path = 'id' in types ? pathWithin(args[0], args[1]) : undefined;
    const texts = new Set(found.map(({ text }) => text));
    throw appError([...texts].map((text) => `[${path ?? where}] ${text}`).join('\n'));
  }
}

/** The path of a construct that is to be made. */
function pathWithin(scope: unknown, id: unknown): string | undefined {
  const path = pathOf(scope);
  return path === undefined || typeof id !== 'string' || id === ''
    ? undefined
    : [path, id].filter((part) => part !== '').join('/');
}

function pathOf(value: unknown): string | undefined {
  const { node } = (value ?? {}) as { readonly node?: { readonly path?: unknown } };
  return typeof node?.path === 'string' ? node.path : undefined;
}
