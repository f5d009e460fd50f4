import { createHash } from 'node:crypto';

/** Eight hexadecimal digits that name a content, for objects that cannot be changed once they exist. */
export function contentDigest(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 8);
}

/**
 * A mark that changes when a secret changes, in one byte.
 *
 * A pod template can be read by people who may not read the Secret, so a full digest in it would confirm a
 * guessed password. One byte fits one guess in 256: enough to notice a change, useless as an oracle.
 */
export function changeMark(owner: string, secret: string): string {
  return createHash('sha256').update(`${owner}\0${secret}`).digest('hex').slice(0, 2);
}
