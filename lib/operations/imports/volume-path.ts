import type { Problems } from '../../validation/problems';

/** Validates the path of a file or folder on a volume. */
export function checkVolumePath(
  problems: Problems,
  prop: string,
  path: string,
  what: 'file' | 'folder',
  hint: string,
): void {
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    problems.add(prop, `must be the path of a ${what} on the volume, without a leading slash`, path, hint);
  }
}
