/** The name that was meant, if one is a letter or two from what was written. */
export function nearest(written: string, names: readonly string[]): string | undefined {
  return names.find((name) => name.length > 3 && distance(plain(written), plain(name)) <= (name.length < 8 ? 1 : 2));
}

function plain(name: string): string {
  return name.replace(/[-_]/g, '').toLowerCase();
}

/** Letters to add, leave out or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  Array.from(a).forEach((letter, i) => {
    const next = [i + 1];
    Array.from(b).forEach((other, j) => {
      const [without = 0, above = 0] = row.slice(j);
      next.push(Math.min(without + (letter === other ? 0 : 1), above + 1, (next[j] ?? 0) + 1));
    });
    row = next;
  });
  return row[b.length] ?? 0;
}
