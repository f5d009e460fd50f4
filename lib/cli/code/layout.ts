/** What a printer writes between brackets: items that stand on one line, or each on its own. */
export interface Group {
  readonly open: string;
  readonly close: string;
  readonly items: readonly Item[];
  /** Whether spaces are inside of the brackets on one line, as in `{ a: 1 }`. */
  readonly isSpaced?: boolean;
}

/** An item of a group: text before a part, a part, and a comment above. */
export interface Item {
  readonly label: string;
  readonly part: Part;
  readonly comment?: string;
}

/** Text, or text with groups in it. */
export type Part = readonly (string | Group)[];

/** How a language writes what does not fit on a line. */
export interface Style {
  readonly width: number;
  readonly indent: string;
  /** Starts a comment. */
  readonly comment: string;
  /** Whether the last argument keeps its brackets on the line of the call: `f(a, {`. */
  readonly hugsLast: boolean;
}

/** Writes a part behind `lead`, which stands on the same line, with `depth` levels of indentation. */
export function layOut(part: Part, lead: string, depth: number, style: Style, tail = ''): string {
  const flat = hasComment(part) ? undefined : flatText(part);
  const start = style.indent.repeat(depth) + lead;
  if (flat !== undefined && (start + flat + tail).length <= style.width) {
    return start + flat + tail;
  }
  return start + broken(part, lead.length, depth, style) + tail;
}

/** Characters that end a line, hide text or command a terminal. */
const INVISIBLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A text with escapes for characters that cannot be seen, as TypeScript, Python and JSON have them. Line feeds remain. */
export function visible(text: string): string {
  // Those outside of the first plane have no such escape in Python, and end no line.
  return text.replace(INVISIBLE, (character) =>
    character.length > 1 ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A text in quotation marks, as JSON, TypeScript and Python have it. */
export function quoted(text: string): string {
  return visible(JSON.stringify(text));
}

/** A comment, in lines that fit. */
export function commentLines(text: string, depth: number, { width, indent, comment }: Style): string {
  const prefix = `${indent.repeat(depth)}${comment} `;
  return visible(text)
    .split('\n')
    .flatMap((line) => wrap(line, width - prefix.length))
    .map((line) => `${prefix}${line}`.trimEnd())
    .join('\n');
}

/** The words of a text in lines of a width. A line that starts with spaces, such as a command, stays as it is. */
export function wrap(text: string, width: number): string[] {
  if (text.startsWith(' ')) {
    return [text];
  }
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && `${line} ${word}`.length > width) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
    }
  }
  return lines;
}

function broken(part: Part, column: number, depth: number, style: Style): string {
  let text = '';
  const breaking = breakingGroups(part, column, depth, style);
  part.forEach((each, i) => {
    if (typeof each === 'string') {
      text += each;
    } else {
      text += breaking.has(i) ? brokenGroup(each, depth, style) : flatText([each]);
    }
  });
  return text;
}

/** The groups that are broken: those with comments and, unless the rest fits then, the last one. */
function breakingGroups(part: Part, column: number, depth: number, style: Style): Set<number> {
  const groups = part.flatMap((each, i) => (typeof each === 'string' || each.items.length === 0 ? [] : [i]));
  const commented = groups.filter((i) => hasComment([part[i] ?? '']));
  if (commented.length > 0) {
    return new Set(commented);
  }
  const last = groups.at(-1);
  const before = flatText(part.slice(0, last));
  const isLong = style.indent.length * depth + column + before.length > style.width;
  return new Set(isLong ? groups : last === undefined ? [] : [last]);
}

function brokenGroup(group: Group, depth: number, style: Style): string {
  const last = group.items.at(-1);
  const others = group.items.slice(0, -1);
  if (style.hugsLast && last !== undefined && group.open === '(' && canHug(last) && !others.some(isBroken)) {
    const before = others.map(({ label, part }) => `${label}${flatText(part)}, `).join('');
    const inner = last.part.map((each) => (typeof each === 'string' ? each : brokenGroup(each, depth, style)));
    const firstLine = `${before}${inner.join('').split('\n')[0] ?? ''}`;
    if (style.indent.length * depth + firstLine.length < style.width) {
      return `(${before}${inner.join('')})`;
    }
  }
  const lines = group.items.flatMap(({ label, part, comment }) => [
    ...(comment === undefined ? [] : [commentLines(comment, depth + 1, style)]),
    layOut(part, label, depth + 1, style, ','),
  ]);
  return `${group.open}\n${lines.join('\n')}\n${style.indent.repeat(depth)}${group.close}`;
}

/** Whether an argument is nothing but a group with brackets of its own, such as `{ … }` or `[ … ]`. */
function canHug({ part, comment }: Item): boolean {
  const [only] = part;
  return part.length === 1 && typeof only === 'object' && only.items.length > 0 && comment === undefined;
}

function isBroken({ part, comment }: Item): boolean {
  return comment !== undefined || hasComment(part);
}

function hasComment(part: Part): boolean {
  return part.some((each) => typeof each !== 'string' && each.items.some(isBroken));
}

function flatText(part: Part): string {
  return part
    .map((each) => {
      if (typeof each === 'string') {
        return each;
      }
      const items = each.items.map((item) => `${item.label}${flatText(item.part)}`).join(', ');
      const space = each.isSpaced === true && items !== '' ? ' ' : '';
      return `${each.open}${space}${items}${space}${each.close}`;
    })
    .join('');
}
