import { readFileSync } from 'node:fs';

import { InputError, UsageError } from './command';

/** The choice that an option names. */
export function chosen<T>(option: string, name: string | undefined, choices: Readonly<Record<string, T>>): T {
  const choice = name === undefined || !Object.hasOwn(choices, name) ? undefined : choices[name];
  if (choice === undefined) {
    const got = name === undefined ? 'nothing' : `"${name}"`;
    throw new UsageError(`${option} must be one of ${Object.keys(choices).join(', ')}, got ${got}.`);
  }
  return choice;
}

/** The text of a file; of the standard input, for `-`. */
export function readInput(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file === '-' ? 0 : file));
  } catch (error) {
    throw new InputError(`${file}: cannot be read: ${(error as Error).message}`);
  }
}
