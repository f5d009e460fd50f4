import table from './public-api.json';

/** The types of members or parameters by name, as `tools/public-api.mjs` writes them. */
export type Types = Readonly<Record<string, string>>;

/** A public type: what a value of it has, and how users get one. */
export interface PublicType {
  /** Members of an enum. */
  readonly enum?: Readonly<Record<string, string | number>>;
  /** Properties of a struct. */
  readonly struct?: Types;
  /** Properties of an interface. */
  readonly interface?: Types;
  /** Further members of an interface, or those that a class of another library is known by. */
  readonly has?: readonly string[];
  /** Parameters of the constructor, of the static and of the instance methods of a class. */
  readonly new?: Types;
  readonly static?: Readonly<Record<string, Types>>;
  readonly instance?: Readonly<Record<string, Types>>;
  /** Other types that a class is. */
  readonly is?: readonly string[];
  /** How users get a value: constructors, presets, factories. */
  readonly ways?: readonly string[];
}

/** The public types by name; those of other libraries have the name of the package before them. */
export const TYPES = table as unknown as Readonly<Record<string, PublicType>>;
