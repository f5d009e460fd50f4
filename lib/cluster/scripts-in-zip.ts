import { argumentsInZip, pythonPathInZip } from '../scripts/scripts';

import type { ManifestContainer } from './manifest';

/** Makes a container run the scripts of the library from their zip: its command, its arguments, its probes and its PYTHONPATH. */
export function runFromZip(container: ManifestContainer): void {
  Object.assign(container, inZip(container));
  container.env = container.env?.map((variable) =>
    variable.name === 'PYTHONPATH' && variable.value !== undefined
      ? { ...variable, value: pythonPathInZip(variable.value) }
      : variable,
  );
}

function inZip(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.every((each) => typeof each === 'string') ? argumentsInZip(value) : value.map(inZip);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([field, each]) => [field, inZip(each)]))
    : value;
}
