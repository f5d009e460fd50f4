import { type PublicType, type Types, TYPES } from './public-api';
import { nearest } from './spelling';
import { describe, hintOf, isPlain, sentence, SET_VARIABLE, shortName, show, typeInWords } from './type-words';

/** A value that does not fit its type. */
export interface Mismatch {
  /** The field; empty for the value itself. */
  readonly field: string;
  /** Whether other checks can run: the type is right, and what it holds is not set. */
  readonly isHarmless: boolean;
  /** The whole sentence about it, by the full name of the field. */
  readonly say: (name: string) => string;
}

/** What does not fit about a value. */
export type Check = (value: unknown) => readonly Mismatch[];

/** A member of a type, or a parameter. */
export interface Member {
  readonly name: string;
  readonly type: string;
  readonly isVariadic: boolean;
  readonly check: Check;
}

// By it an instance is known to another copy of this library, and where the names of classes are shortened.
const TYPE_NAME = Symbol.for('cdk8s-mlflow.type');

const NONE: readonly Mismatch[] = [];
const UNSET_TEXTS = new Set(['undefined', 'null', 'NaN']);
const SECRET = /password|passphrase|secret|token|credential|webhookKey|EnvValue/i;

const MEMBERS = new WeakMap<Types, readonly Member[]>();
const CHECKS = new Map<string, Check>();

/** The members of a type, or the parameters of a method, with their checks. */
export function membersOf(types: Types): readonly Member[] {
  const known = MEMBERS.get(types);
  const members = known ?? Object.entries(types).map(([name, reference]) => memberOf(name, reference));
  if (known === undefined) {
    MEMBERS.set(types, members);
  }
  return members;
}

/** The check of a type. */
export function checkOf(type: string): Check {
  const known = CHECKS.get(type);
  const check = known ?? makeCheck(type);
  if (known === undefined) {
    CHECKS.set(type, check);
  }
  return check;
}

/** Makes the instances of a class known by the name of their type. */
export function nameType(prototype: object, name: string): void {
  Object.defineProperty(prototype, TYPE_NAME, { value: name });
}

/** The name of a field of a value. */
export function fieldOf(owner: string, field: string): string {
  return owner === '' || field === '' || field.startsWith('[') ? owner + field : `${owner}.${field}`;
}

function memberOf(name: string, reference: string): Member {
  const [, type = '', modifier] = /^(.*?)(\?|\.\.\.)?$/.exec(reference) ?? [];
  return { name, type, isVariadic: modifier === '...', check: givenCheck(type, modifier === '?') };
}

/** That a value is given where it has to be, and that it fits its type. */
function givenCheck(type: string, isOptional = false): Check {
  const check = checkOf(type);
  return (value) => {
    if (value === undefined && isOptional) {
      return NONE;
    }
    return isAbsent(type, value) ? [absent(type, value, isOptional)] : check(value);
  };
}

function absent(type: string, value: unknown, isOptional: boolean): Mismatch {
  const required = isOptional ? 'must be given or left out' : 'must be given';
  const hint = isOptional || /^(string|number)/.test(type) ? SET_VARIABLE : hintOf(type);
  return {
    field: '',
    isHarmless: value !== undefined && value !== null,
    say: (name) => sentence(name, required, show(value), hint),
  };
}

function isAbsent(type: string, value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return type === 'string' ? isUnset(value) || value.trim() === '' : type === 'string~' && isUnset(value);
    case 'number':
      return type === 'number' && Number.isNaN(value);
    default:
      return value === undefined || value === null;
  }
}

/** What a template string makes of a variable that is not set. */
function isUnset(text: string): boolean {
  return UNSET_TEXTS.has(text);
}

function makeCheck(type: string): Check {
  if (type.endsWith('[]')) {
    return listCheck(type);
  }
  if (type.endsWith('{}')) {
    return mapCheck(type);
  }
  const entry = TYPES[type];
  if (entry === undefined) {
    const primitive = type.replace('~', '');
    return primitive === 'any' ? () => NONE : typeCheck(type, (value) => typeof value === primitive);
  }
  if (entry.enum !== undefined) {
    const members = new Set<unknown>(Object.values(entry.enum));
    return typeCheck(type, (value) => members.has(value));
  }
  if (entry.struct !== undefined) {
    return structCheck(type, entry.struct);
  }
  return entry.interface === undefined ? classCheck(type, entry) : interfaceCheck(type, entry, entry.interface);
}

function typeCheck(type: string, fits: (value: unknown) => boolean): Check {
  return (value) => (fits(value) ? NONE : [wrongType(type, value)]);
}

function listCheck(type: string): Check {
  const check = givenCheck(type.slice(0, -2));
  return (value) =>
    Array.isArray(value)
      ? value.reduce((found: readonly Mismatch[], each, i) => within(found, `[${String(i)}]`, check(each)), NONE)
      : [wrongType(type, value)];
}

function mapCheck(type: string): Check {
  const element = type.slice(0, -2);
  // Labels, annotations and settings may be empty.
  const check = givenCheck(element === 'string' ? 'string~' : element);
  return (value) =>
    isRecord(value)
      ? Object.entries(value).reduce((found, [key, each]) => within(found, key, check(each)), NONE)
      : [wrongType(type, value)];
}

function structCheck(type: string, types: Types): Check {
  const isOurs = !type.includes('.');
  return (value) => {
    if (!isRecord(value)) {
      return [wrongType(type, value)];
    }
    const found = mismatchesOf(types, value);
    return isOurs && isPlain(value) ? [...found, ...misspelt(type, types, value)] : found;
  };
}

function mismatchesOf(types: Types, value: Readonly<Record<string, unknown>>): readonly Mismatch[] {
  return membersOf(types).reduce((found, { name, check }) => within(found, name, check(value[name])), NONE);
}

function interfaceCheck(type: string, { has = [] }: PublicType, types: Types): Check {
  const needed = [...Object.keys(types), ...has].filter((name) => types[name]?.endsWith('?') !== true);
  return (value) => {
    if (!isRecord(value) || !needed.every((name) => name in value)) {
      return [wrongType(type, value)];
    }
    return TYPES[typeNameOf(value) ?? '']?.is?.includes(type) === true ? NONE : mismatchesOf(types, value);
  };
}

function classCheck(type: string, { has }: PublicType): Check {
  return (value) => {
    if (!isRecord(value) || !(isInstance(value, shortName(type)) || (has !== undefined && looksLike(value, has)))) {
      return [wrongType(type, value)];
    }
    const content = has === undefined ? undefined : contentMismatch(value);
    return content === undefined ? NONE : [content];
  };
}

/** Of a class of another library: there may be two copies of it. */
function looksLike(value: object, has: readonly string[]): boolean {
  return has.length === 0 ? !isPlain(value) : has.every((name) => name in value);
}

/** Whether a value is of a class of this name. */
export function isInstance(value: object, name: string): boolean {
  if (typeNameOf(value) === name) {
    return true;
  }
  let each = Object.getPrototypeOf(value) as object | null;
  while (each !== null && each.constructor.name !== name) {
    each = Object.getPrototypeOf(each) as object | null;
  }
  return each !== null;
}

/** What `EnvValue.fromProcess('UNSET')`, `EnvValue.fromValue(5432)` or `Duration.minutes(NaN)` hold. */
function contentMismatch(value: Readonly<Record<string, unknown>>): Mismatch | undefined {
  const { amount, value: text, valueFrom } = value;
  const mismatch = (required: string, got: string, hint?: string): Mismatch => ({
    field: '',
    isHarmless: false,
    say: (name) => sentence(name, required, got, hint),
  });
  const isAmount = amount !== undefined || 'amount' in value;
  if (!isAmount && (!('valueFrom' in value) || (valueFrom !== undefined && valueFrom !== null))) {
    return undefined;
  }
  const content = isAmount ? String(amount).replace(/m$/, '') : text;
  if (content === undefined || content === null || (typeof content === 'string' && isUnset(content))) {
    return mismatch('must have a value', String(content), SET_VARIABLE);
  }
  return typeof content === 'string'
    ? undefined
    : mismatch('must hold a string', describe(content, true), hintOf('string', content));
}

/** Props that nearly are one of the type. Any other may be that of a subclass. */
function misspelt(type: string, types: Types, value: Readonly<Record<string, unknown>>): readonly Mismatch[] {
  const unknown = Object.keys(value).filter((key) => !(key in types) && value[key] !== undefined);
  return unknown.flatMap((field) => {
    const meant = nearest(
      field,
      Object.keys(types).filter((name) => value[name] === undefined),
    );
    const say = (name: string): string => `\`${name}\` is not a prop of ${type}. Did you mean \`${meant ?? ''}\`?`;
    return meant === undefined ? [] : [{ field, isHarmless: true, say }];
  });
}

function wrongType(type: string, value: unknown): Mismatch {
  const say = (name: string): string => {
    const got = describe(value, SECRET.test(name) || SECRET.test(type));
    return sentence(name, `must be ${typeInWords(type)}`, got, hintOf(type, value));
  };
  return { field: '', isHarmless: false, say };
}

function within(found: readonly Mismatch[], name: string, inside: readonly Mismatch[]): readonly Mismatch[] {
  return inside.length === 0
    ? found
    : [...found, ...inside.map((each) => ({ ...each, field: fieldOf(name, each.field) }))];
}

function typeNameOf(value: object): string | undefined {
  return (value as { readonly [TYPE_NAME]?: string })[TYPE_NAME];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
