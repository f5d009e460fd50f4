/** Data of a YAML file. */
export type Data = Readonly<Record<string, unknown>>;

export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Maps by key, everything else by the second. */
export function mergeData(under: Data, over: Data): Data {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key];
    merged[key] = isData(old) && isData(value) ? mergeData(old, value) : value;
  }
  return merged;
}

/** A text, number or boolean as text; nothing of other types. */
export function plain(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** The type of a value, in the words of YAML. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return 'nothing';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  return isData(value) ? 'a map' : JSON.stringify(value);
}
