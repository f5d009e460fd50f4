import { TYPES } from './public-api';

/** The way out where a text or a number is not given. */
export const SET_VARIABLE = 'If it comes from an environment variable, set that before the synthesis.';

/** A requirement on a field, what was given instead, and the way out. */
export function sentence(name: string, required: string, got: string, hint?: string): string {
  return `\`${name}\` ${required}, got ${got}.${hint === undefined ? '' : ` ${hint}`}`;
}

/** A type, as in "must be …". */
export function typeInWords(type: string): string {
  const element = type.slice(0, -2);
  if (type.endsWith('[]')) {
    return `a list of ${elementsInWords(element)}`;
  }
  if (type.endsWith('{}')) {
    return `an object with values that are ${elementsInWords(element)}`;
  }
  const name = shortName(type);
  const { enum: members, struct } = TYPES[type] ?? {};
  if (members !== undefined) {
    return listed(Object.keys(members).map((member) => `${name}.${member}`));
  }
  return struct === undefined ? (PRIMITIVES[name] ?? withArticle(name)) : `an object (${name})`;
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'a string',
  'string~': 'a string',
  number: 'a number',
  boolean: 'true or false',
};

/** How to give a value of a type, instead of the one that does not fit. */
export function hintOf(type: string, value?: unknown): string | undefined {
  if (type.endsWith('[]')) {
    return value === undefined || Array.isArray(value) ? undefined : 'Put it into a list: [...].';
  }
  if (type.startsWith('string')) {
    return ['number', 'boolean'].includes(typeof value) ? 'Write it in quotes.' : undefined;
  }
  const { ways = [] } = TYPES[type] ?? {};
  return ways.length === 0 ? undefined : `Use ${listed(ways)}.`;
}

/** A value that was given, with its type; of a secret, the type alone. */
export function describe(value: unknown, isSecret: boolean): string {
  if (typeof value === 'string' || typeof value === 'number') {
    const kind = `a ${typeof value}`;
    return isSecret ? kind : `${show(value)} (${kind})`;
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  if (typeof value === 'object' && value !== null) {
    return isPlain(value) ? 'an object' : withArticle(value.constructor.name);
  }
  return typeof value === 'function' ? 'a function' : String(value);
}

/** A value as it was given. */
export function show(value: unknown): string {
  return value === '' ? 'an empty string' : typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** The name of a type without its package. */
export function shortName(type: string): string {
  return type.replace(/^.*\./, '');
}

/** Whether an object is of no class. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function elementsInWords(type: string): string {
  return type in TYPES ? shortName(type) : `${type}s`;
}

/** `X.a(), .b() or .c()`: the class is said once. */
function listed(names: readonly string[]): string {
  const short = names.map((name, i) => {
    const [owner = '', member = ''] = name.split('.');
    return member !== '' && names[i - 1]?.startsWith(`${owner}.`) === true ? `.${member}` : name;
  });
  return [short.slice(0, -1).join(', '), ...short.slice(-1)].filter((part) => part !== '').join(' or ');
}

function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}
