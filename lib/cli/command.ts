/** Exit codes of the program. */
export const EXIT = {
  /** Done. */
  OK: 0,
  /** The input is wrong: a file cannot be read, or a value cannot be. */
  INPUT: 1,
  /** The program was called in a wrong way. */
  USAGE: 2,
  /** Done, but the input has keys that are not known: they are not in the output. */
  UNKNOWN_KEYS: 3,
} as const;

/** Where a command writes to. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** A command of the program: `cdk8s-mlflow <name>`. */
export interface Command {
  readonly name: string;
  /** What it does, in a line of `--help`. */
  readonly summary: string;
  /** Runs it and returns the exit code. */
  readonly run: (args: readonly string[], output: Output) => number;
}

/** The user called a command in a wrong way. */
export class UsageError extends Error {}

/** What is wrong with the input, in sentences for the user. */
export class InputError extends Error {}
