import { visible, wrap } from '../code/layout';

import type { Conversion } from './convert';
import type { Note, NoteKind } from './release';
import { hidden } from './secrets';

const WIDTH = 110;

const TITLES: Record<NoteKind, string> = {
  'to do': 'To do: no counterpart',
  changed: 'Changed in its meaning',
  'left out': 'Left out: nothing is lost',
  'no effect': 'Without effect in the chart, too',
  same: 'The same without them',
  unknown: 'Unknown keys: not in the app',
};

/** What became of the values, as a table. */
export function report({ release, keys }: Conversion): string {
  const kinds = Object.keys(TITLES) as NoteKind[];
  const sections = kinds.flatMap((kind) => {
    const notes = release.notes.filter((note) => note.kind === kind);
    return notes.length === 0 ? [] : [`\n${TITLES[kind]}`, ...notes.map(row)];
  });
  const counts = kinds.map((kind) => [kind, keysOf(release.notes, kind)] as const).filter(([, count]) => count > 0);
  const summary = [`Keys: ${String(keys)} set`, ...counts.map(([kind, count]) => `${String(count)} ${kind}`)].join(
    ', ',
  );
  return [...sections, '', `${summary}.`, ''].join('\n');
}

function row({ keys, text }: Note): string {
  const lines = [
    ...wrap(visible(hidden(keys.join(', '))), WIDTH - 2).map((line) => `  ${line}`),
    ...wrap(visible(hidden(text)), WIDTH - 6).map((line) => `      ${line}`),
  ];
  return lines.join('\n');
}

function keysOf(notes: readonly Note[], kind: NoteKind): number {
  return notes.filter((note) => note.kind === kind).reduce((sum, note) => sum + note.keys.length, 0);
}
