/** What was found, by a key that those of a kind share, and there by the props that cause it, with the smallest app of each. */
export class Findings {
  byKey = new Map();

  /** Whether it is known that one of these mistakes, or some of these props together, have this effect; it is counted then. */
  counts(key, { mistaken, given }) {
    const found = (this.byKey.get(key) ?? []).find(({ cause }) =>
      cause.mistaken.length > 0
        ? cause.mistaken.every((place) => mistaken.includes(place))
        : mistaken.length === 0 && cause.given.every((place) => given.includes(place)),
    );
    if (found !== undefined) {
      found.count += 1;
    }
    return found !== undefined;
  }

  add(key, cause, example) {
    const found = this.byKey.get(key) ?? [];
    this.byKey.set(key, found);
    const same = found.find((each) => nameOf(each.cause) === nameOf(cause));
    if (same === undefined) {
      found.push({ cause, count: 1, ...example });
    } else {
      same.count += 1;
    }
  }

  /** The most frequent first. */
  list() {
    const most = (a, b) => b.count - a.count;
    return [...this.byKey]
      .map(([key, found]) => {
        const causes = found.map(({ cause, ...rest }) => ({ by: nameOf(cause), ...rest })).sort(most);
        return { key, count: causes.reduce((sum, { count }) => sum + count, 0), causes };
      })
      .sort((a, b) => most(a, b) || a.key.localeCompare(b.key));
  }

  table() {
    return this.list()
      .map(({ key, count, causes }) => {
        const [{ text, app, number }] = causes;
        const by = causes.map((each) => `${each.by} (${String(each.count)})`).join(', ');
        return `${String(count).padStart(5)}  ${key}\n       by ${by}\n       ${short(text)}\n       app ${String(number)}: ${app}`;
      })
      .join('\n\n');
  }
}

/** Where no value is wrong by itself, the props that do not go together. */
function nameOf({ mistaken, given }) {
  return mistaken.length > 0
    ? mistaken.join(' with ')
    : `right values together: ${given.join(', ') || 'required props alone'}`;
}

function short(text) {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
