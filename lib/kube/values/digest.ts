import { createHash } from 'node:crypto';

/** A digest of eight hexadecimal digits, for the names of immutable objects. */
export function contentDigest(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 8);
}

/**
 * A mark of one byte that changes when a secret changes.
 *
 * People who may not read the Secret can read the pod template, where a full digest would confirm a guessed password. One byte
 * matches one guess in 256: enough to notice most changes, too little to test guesses.
 */
export function changeMark(owner: string, secret: string): string {
  return createHash('sha256').update(`${owner}\0${secret}`).digest('hex').slice(0, 2);
}
