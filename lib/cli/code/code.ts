/** The packages that a printed app imports from. */
export type Module = 'cdk8s' | 'cdk8s-mlflow' | 'cdk8s-plus-28';

/** Something that a printed app imports. */
export interface Name {
  readonly module: Module;
  readonly name: string;
}

/** A field of a struct, with a comment above it. */
export interface Field {
  readonly name: string;
  readonly value: Code;
  readonly comment?: string;
}

/** An expression of an app, before it is printed in a language. */
export type Code =
  | { readonly kind: 'value'; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly items: readonly Code[] }
  /** A map whose keys are data: they are printed as they are. */
  | { readonly kind: 'map'; readonly entries: readonly (readonly [string, Code])[] }
  /** A value of an interface of the library, whose fields are named as the language names them. */
  | { readonly kind: 'struct'; readonly name: Name; readonly fields: readonly Field[]; readonly isPositional?: boolean }
  | { readonly kind: 'new'; readonly name: Name; readonly args: readonly Code[] }
  | { readonly kind: 'call'; readonly of: Name | Code; readonly method: string; readonly args: readonly Code[] }
  | { readonly kind: 'member'; readonly of: Name | Code; readonly member: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'scope' };

/** A statement of the chart's constructor: an expression, perhaps with a name. */
export interface Statement {
  readonly comment?: string;
  readonly variable?: string;
  readonly code: Code;
}

/** An app with one chart. */
export interface Program {
  /** Paragraphs of the comment on the chart. */
  readonly description: readonly string[];
  readonly className: string;
  readonly id: string;
  readonly namespace: string;
  readonly statements: readonly Statement[];
}

/** The scope of all constructs: the chart. */
export const SCOPE: Code = { kind: 'scope' };

export const cdk8s = (name: string): Name => ({ module: 'cdk8s', name });
export const mlflow = (name: string): Name => ({ module: 'cdk8s-mlflow', name });
export const kplus = (name: string): Name => ({ module: 'cdk8s-plus-28', name });

export function isName(of: Name | Code): of is Name {
  return 'module' in of;
}

export function value(of: string | number | boolean | null): Code {
  return { kind: 'value', value: of };
}

export function list(items: readonly Code[]): Code {
  return { kind: 'list', items };
}

export function texts(items: readonly string[]): Code {
  return list(items.map(value));
}

export function map(entries: Readonly<Record<string, Code>>): Code {
  return { kind: 'map', entries: Object.entries(entries) };
}

export function textMap(entries: Readonly<Record<string, string>>): Code {
  return { kind: 'map', entries: Object.entries(entries).map(([key, text]) => [key, value(text)] as const) };
}

export function variable(name: string): Code {
  return { kind: 'variable', name };
}

export function member(of: Name | Code, name: string): Code {
  return { kind: 'member', of, member: name };
}

export function call(of: Name | Code, method: string, ...args: Code[]): Code {
  return { kind: 'call', of, method, args };
}

export function create(name: Name, ...args: Code[]): Code {
  return { kind: 'new', name, args };
}

/** A construct of the chart. */
export function construct(name: Name, id: string, ...props: Code[]): Code {
  return create(name, SCOPE, value(id), ...props);
}

/** A struct. Fields without a value are left out. */
export function struct(name: Name, fields: Readonly<Record<string, Code | undefined>>): Code {
  const present = Object.entries(fields).flatMap(([field, code]) =>
    code === undefined ? [] : [{ name: field, value: code }],
  );
  return { kind: 'struct', name, fields: present };
}

/** A struct that is an argument with others behind it that are left out: Python does not spread such a one. */
export function positional(code: Code): Code {
  return code.kind === 'struct' ? { ...code, isPositional: true } : code;
}

/** Plain data, such as a part of a manifest. */
export function data(of: unknown): Code {
  if (Array.isArray(of)) {
    return list(of.map(data));
  }
  if (typeof of === 'object' && of !== null) {
    return { kind: 'map', entries: Object.entries(of).map(([key, each]) => [key, data(each)] as const) };
  }
  return value(of as string | number | boolean | null);
}

/**
 * All names that a program imports.
 *
 * @param importsStruct whether a struct has to be imported; one that is lifted is the last argument of a call
 */
export function namesOf(code: Code, importsStruct: (isLifted: boolean) => boolean, isLast = false): Name[] {
  const within = (each: Code): Name[] => namesOf(each, importsStruct);
  const ownerNames = (of: Name | Code): Name[] => (isName(of) ? [of] : within(of));
  const argumentNames = (args: readonly Code[]): Name[] =>
    args.flatMap((each, i) => namesOf(each, importsStruct, i === args.length - 1));
  switch (code.kind) {
    case 'list':
      return code.items.flatMap(within);
    case 'map':
      return code.entries.flatMap(([, each]) => within(each));
    case 'struct':
      return [
        ...(importsStruct(isLast && code.isPositional !== true) ? [code.name] : []),
        ...code.fields.flatMap((field) => within(field.value)),
      ];
    case 'new':
      return [code.name, ...argumentNames(code.args)];
    case 'call':
      return [...ownerNames(code.of), ...argumentNames(code.args)];
    case 'member':
      return ownerNames(code.of);
    default:
      return [];
  }
}
