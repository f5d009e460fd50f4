import type { IConstruct } from 'constructs';

/** Collects everything that is wrong with the props of one construct, so that all of it is reported at once. */
export class Problems {
  private readonly texts: string[] = [];

  public constructor(private readonly scope: IConstruct) {}

  /** Notes that `prop` breaks a rule. `got` is shown as it was given; `hint` is a whole sentence. */
  public add(prop: string, required: string, got: unknown, hint?: string): void {
    this.say(`\`${prop}\` ${required}, got ${show(got)}.`, hint);
  }

  /** Notes that `what` is the library's own to set. `owner` is the prop that decides on it; it is empty where none does. */
  public reserved(what: string, owner: string): void {
    this.say(
      `\`${what}\` must not be set: the library sets it itself.`,
      owner === '' ? undefined : `Use \`${owner}\`.`,
    );
  }

  /** Notes a problem in words of its own, for rules that are not about one value. */
  public say(text: string, hint?: string): void {
    this.texts.push(hint === undefined ? text : `${text} ${hint}`);
  }

  /** Throws one error with a line for each problem, or does nothing. */
  public throwIfAny(): void {
    if (this.texts.length > 0) {
      throw new Error(this.texts.map((text) => `[${this.scope.node.path}] ${text}`).join('\n'));
    }
  }
}

function show(value: unknown): string {
  return value === '' ? 'an empty string' : typeof value === 'string' ? JSON.stringify(value) : String(value);
}
