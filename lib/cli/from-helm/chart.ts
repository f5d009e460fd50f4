import type { ReleaseNames } from './release';
import type { Rule } from './rule';
import type { Values } from './values';

/** A chart whose values are converted. */
export interface Chart {
  /** The chart, for readers. */
  readonly title: string;
  /** The rules, in the order in which they are applied. */
  readonly rules: readonly Rule[];
  /** The names of a release. */
  readonly namesOf: (values: Values, release: string, namespace: string) => ReleaseNames;
}

/** The name that most charts give to a release: its own, or with that of the chart behind. */
export function fullName(
  values: Values,
  release: string,
  keys: { readonly full: string; readonly name: string },
): string {
  const full = values.name(keys.full);
  const name = values.name(keys.name) ?? 'mlflow';
  const chosen = full ?? (release.includes(name) ? release : `${release}-${name}`);
  return shortened(chosen);
}

/** A name of 63 characters at most, as Helm's charts cut them. */
export function shortened(name: string): string {
  return name.slice(0, 63).replace(/-$/, '');
}
