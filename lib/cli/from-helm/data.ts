/** Data of a YAML file. */
export type Data = Readonly<Record<string, unknown>>;

export function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An entry of a table by a text of the user, which may be the name of a method such as `toString`. */
export function entryOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The fields of a map that are known, and the names of the others. */
export function splitFields(of: Data, known: readonly string[]): { readonly fields: Data; readonly others: string[] } {
  const entries = Object.entries(of);
  return {
    fields: Object.fromEntries(entries.filter(([name]) => known.includes(name))),
    others: entries.flatMap(([name]) => (known.includes(name) ? [] : [name])),
  };
}

/** Maps by key, everything else by the second. */
export function mergeData(under: Data, over: Data): Data {
  const merged = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    const old = merged.get(key);
    merged.set(key, isData(old) && isData(value) ? mergeData(old, value) : value);
  }
  return Object.fromEntries(merged);
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
