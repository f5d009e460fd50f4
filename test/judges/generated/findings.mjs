/** What was found, by a key that those of a kind share: how often, in which apps, and the smallest of them. */
export class Findings {
  byKey = new Map();

  isNew(key) {
    return !this.byKey.has(key);
  }

  add(key, app, example) {
    const found = this.byKey.get(key) ?? { apps: new Set(), ...example };
    found.apps.add(app);
    this.byKey.set(key, found);
  }

  /** The most frequent first. */
  list() {
    return [...this.byKey]
      .map(([key, { apps, ...example }]) => ({ key, count: apps.size, apps: [...apps].slice(0, 5), ...example }))
      .sort((a, b) => b.count - a.count || a.key.localeCompare(b.key));
  }

  table() {
    return this.list()
      .map(({ key, count, apps, text, app, props }) =>
        [
          `${String(count).padStart(5)}  ${key}`,
          `       ${text}`,
          `       ${props.join('; ')}`,
          `       app ${apps[0]}: ${app}`,
        ].join('\n'),
      )
      .join('\n\n');
  }
}
