import type { IConstruct } from 'constructs';

import { appError } from './app-language';
import { harmlessProblemsOf } from './arguments';
import { sentence, show } from './type-words';

/**
 * Collects all wrong props of a construct, so that one error reports all of them.
 *
 * The value of a prop, such as an artifact store, reports to the collector of the construct ({@link Problems.of}), and names only
 * its own fields ({@link Problems.at}).
 */
export class Problems {
  private static readonly OPEN = new WeakMap<IConstruct, Problems>();

  /** The collector of a construct that is under construction, or a new one. */
  public static of(scope: IConstruct): Problems {
    return Problems.OPEN.get(scope)?.borrowed() ?? new Problems(scope);
  }

  private readonly texts: string[];
  private readonly prefix: string;
  private readonly isBorrowed: boolean;
  /** Names of the fields that do not hold a value at all. */
  private readonly unset: readonly string[];

  public constructor(
    private readonly scope: IConstruct,
    parent?: { readonly texts: string[]; readonly prefix: string; readonly unset: readonly string[] },
  ) {
    const unset = parent === undefined ? harmlessProblemsOf(scope) : [];
    this.texts = parent?.texts ?? unset.map(({ text }) => text);
    this.prefix = parent?.prefix ?? '';
    this.isBorrowed = parent !== undefined;
    this.unset = parent?.unset ?? unset.map(({ field }) => field);
    if (!this.isBorrowed) {
      Problems.OPEN.set(scope, this);
    }
  }

  /** The same collector for the fields of `prop`: it reports a field as `prop.field`. */
  public at(prop: string): Problems {
    return new Problems(this.scope, { texts: this.texts, prefix: this.name(prop), unset: this.unset });
  }

  /** The full name of a field. An empty one stands for the value itself. */
  public name(field: string): string {
    return [this.prefix, field].filter((part) => part !== '').join('.');
  }

  /** Adds that `prop` must be as `required` says. `got` is the given value; `hint` is a whole sentence. */
  public add(prop: string, required: string, got: unknown, hint?: string): void {
    const name = this.name(prop);
    if (!this.unset.some((field) => field === name || field.startsWith(`${name}[`))) {
      this.say(sentence(name, required, show(got), hint));
    }
  }

  /** Adds that the library sets `what` itself. `owner` is the prop for it, or empty if there is none. */
  public reserved(what: string, owner: string): void {
    this.say(
      `\`${what}\` must not be set: the library sets it itself.`,
      owner === '' ? undefined : `Use \`${owner}\`.`,
    );
  }

  /** Adds a problem that is not about one value. */
  public say(text: string, hint?: string): void {
    this.texts.push(hint === undefined ? text : `${text} ${hint}`);
  }

  /** Whether anything is wrong so far. */
  public get found(): boolean {
    return this.texts.length > 0;
  }

  /** Throws one error with a line for each problem, if there are any. For the value of a prop, its construct throws. */
  public throwIfAny(): void {
    if (this.isBorrowed) {
      return;
    }
    Problems.OPEN.delete(this.scope);
    if (this.found) {
      throw appError([...new Set(this.texts)].map((text) => `[${this.scope.node.path}] ${text}`).join('\n'));
    }
  }

  /** Runs the code of a prop's value in a scope. It reports to this collector as fields of `prop`. */
  public during<T>(prop: string, run: () => T, scope: IConstruct = this.scope): T {
    Problems.OPEN.set(scope, this.at(prop));
    try {
      return run();
    } finally {
      Problems.OPEN.set(scope, this);
    }
  }

  /** Makes a value while it collects problems, then throws these. They take precedence over an error of `make`. */
  public finish<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      this.throwIfAny();
      throw error;
    } finally {
      this.throwIfAny();
    }
  }

  private borrowed(): Problems {
    return this.at('');
  }
}
