import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '..', 'scripts');

/** The scripts of the library, by file name. Read once: they do not change while an app runs. */
const SCRIPTS: Record<string, string> = Object.fromEntries(
  readdirSync(FOLDER)
    .filter((file) => /\.(py|sh|sql)$/.test(file))
    .sort()
    .map((file) => [file, readFileSync(join(FOLDER, file), 'utf8')]),
);

/** The scripts of these names and the files of ours that they import or name, by file name. */
export function scriptsNamed(...names: string[]): Record<string, string> {
  const wanted = new Set(names);
  // A set that grows while it is walked is walked to its new end.
  for (const name of wanted) {
    needsOf(name).forEach((file) => wanted.add(file));
  }
  return Object.fromEntries(Object.entries(SCRIPTS).filter(([file]) => wanted.has(file)));
}

function needsOf(name: string): string[] {
  const source = SCRIPTS[name] ?? '';
  const files = name.endsWith('.py')
    ? [...source.matchAll(/^\s*(?:from|import) (\w+)/gm)].map(([, module = '']) => `${module}.py`)
    : [...source.matchAll(/\w+\.(?:sh|sql)\b/g)].map(([file]) => file);
  return files.filter((file) => file in SCRIPTS);
}
