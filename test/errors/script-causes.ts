import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const SCRIPTS = join(__dirname, '..', '..', 'lib', 'scripts');

/** What a script says when it cannot go on: `<program>: <name>: <saw>. <way out>`. */
export interface ScriptCause {
  readonly name: string;
  /** Folder of lib/scripts. */
  readonly folder: string;
  /** What it saw, with `…` for what depends on the case; empty where PostgreSQL or a library says it. */
  readonly saw: string;
  readonly wayOut: string;
  /** Whether the program tries again by itself. */
  readonly retries?: boolean;
}

/** Words at the start of lines that report progress, not a failure. */
export const PROGRESS = [
  ...[
    'already-imported',
    'applied',
    'collected',
    'database',
    'ignored',
    'locations',
    'moved',
    'plan',
    'probe',
    'ready',
  ],
  ...['replaced', 'source', 'stored', 'unchanged', 'waiting', 'whole', 'written'],
];

interface Source {
  readonly name: string;
  readonly folder: string;
  /** With adjacent string literals of Python as one. */
  readonly text: string;
}

const ADJACENT = /(?:[frb]{0,2}"(?:[^"\\\n]|\\.)*"\s*)+/g;
const sources: Source[] = readdirSync(SCRIPTS, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(py|sh)$/.test(file))
  .sort()
  .map((file) => {
    const text = readFileSync(join(SCRIPTS, file), 'utf8');
    return { name: basename(file), folder: dirname(file), text: file.endsWith('.py') ? joined(text) : text };
  });
const constants = new Map(
  sources.flatMap(({ text }) => [...namedStrings(text)].filter(([name]) => /^[A-Z_]+$/.test(name))),
);

/** The causes of every script, by their names. */
export function scriptCauses(): ScriptCause[] {
  const causes = sources.flatMap((source) => {
    const lines = source.name.endsWith('.py') ? linesOfPython(source.text) : linesOfShell(source.text);
    const found = [...lines.flatMap(causeOf), ...tableOf(source.text)];
    return found.map((cause) => ({ ...cause, folder: source.folder }));
  });
  const texts = causes.map((each) => JSON.stringify(each));
  return causes.filter((_, index) => texts.indexOf(texts[index] ?? '') === index);
}

/** The exit codes of each program, as its description has them. */
export function exitCodes(): [string, string][] {
  return sources.flatMap(({ name, text }) => {
    const [, codes] = /Exit codes: (.*?)\.[ \n]/s.exec(text.replaceAll(/\n#? */g, ' ')) ?? [];
    return codes === undefined ? [] : [[name, codes] as [string, string]];
  });
}

/** What no script says of PROGRESS. */
export function unusedProgress(): string[] {
  return PROGRESS.filter((word) => !sources.some(({ text }) => new RegExp(`"(\\{PROGRAM\\}: )?${word}: `).test(text)));
}

function joined(source: string): string {
  return source.replaceAll(ADJACENT, (literals) => {
    const parts = [...literals.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, part = '']) => part);
    return `"${parts.join('')}"${/\s*$/.exec(literals)?.[0] ?? ''}`;
  });
}

function namedStrings(text: string): Map<string, string> {
  const assignments = text.matchAll(/^ *(\w+) = \(?\s*"((?:[^"\\]|\\.)*)"/gm);
  return new Map([...assignments].map(([, name = '', value = '']) => [name, value]));
}

/** Strings, with those that they name in braces. */
function linesOfPython(text: string): string[] {
  const named = new Map([...constants, ...namedStrings(text)]);
  named.delete('PROGRAM'); // It begins the lines, before the cause.
  const literals = [...text.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, literal = '']) => literal);
  const whole = literals.map((each) =>
    each.replaceAll(/\{(\w+)\}/g, (braces, name: string) => named.get(name) ?? braces),
  );
  // The beginning of a longer one is not a line of its own.
  const lines = whole.filter((each) => !whole.some((other) => other !== each && other.startsWith(each)));
  return lines.map((each) =>
    each
      .replace(/^\{program\}: /i, '')
      .replaceAll(/\{[^{}]*\}/g, '…')
      .replaceAll('\\"', '"'),
  );
}

/** What `fail` is called with. */
function linesOfShell(text: string): string[] {
  return [...text.matchAll(/^ *fail "\$\w+" "(.*)"(?: ;;)?$|fail "\$\w+" '(.*)'/gm)].map(([, double, single]) => {
    let line = double ?? single ?? '';
    for (let before = ''; before !== line;) {
      before = line;
      line = line.replace(/\\[()]/, '').replace(/\$\([^()]*\)|\$\{[^{}]*\}|\$\w+/, '…');
    }
    return line;
  });
}

function causeOf(line: string): Omit<ScriptCause, 'folder'>[] {
  const [, name = '', rest = ''] = /^([a-z]+(?:-[a-z]+)*): (.+)$/.exec(line) ?? [];
  if (name === '' || PROGRESS.includes(name)) {
    return [];
  }
  const [saw = '', ...sentences] = rest.replaceAll(/…+/g, '…').split(/(?<=[^.])\. /);
  const seen = /^[…: ]+$/.test(saw) ? '' : saw;
  return [{ name, saw: seen, wayOut: sentences.filter((each) => each !== '…').join('. ') }];
}

/** Tables of causes: `Cause("name", True, "advice"` and `("name", "advice")`. */
function tableOf(text: string): Omit<ScriptCause, 'folder'>[] {
  const named = namedStrings(text);
  const rows = text.matchAll(/Cause\(\s*"([a-z-]+)",\s*(True|False),\s*"([^"]*)"/g);
  const pairs = text.includes('CAUSES = {\n') ? text.matchAll(/: \(\s*"([a-z-]+)",\s*(?:"([^"]*)"|(_[A-Z]+))/g) : [];
  return [
    ...[...rows].map(([, name = '', retries, wayOut = '']) => ({ name, saw: '', wayOut, retries: retries === 'True' })),
    ...[...pairs].map(([, name = '', advice, variable = '']) => ({
      name,
      saw: '',
      wayOut: advice ?? named.get(variable) ?? '',
    })),
  ].map((cause) => ({ ...cause, wayOut: cause.wayOut.replaceAll('{schema}', 'the schema') }));
}
