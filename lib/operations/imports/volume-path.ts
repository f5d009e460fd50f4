/** Whether it is the path of a file or folder on a volume. */
export function isVolumePath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
