import type { Chart } from './chart';
import type { Release } from './release';

/** What of a release has to be told in the steps, besides its names. */
export interface Facts {
  readonly chart: Chart;
  readonly release: Release;
  /** Name of the StatefulSet of Bitnami's PostgreSQL, if the release has one. */
  readonly database?: string;
  readonly oldDatabases: readonly string[];
  readonly claims: readonly string[];
}

/** Commands, as Markdown. */
export function block(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n');
}
