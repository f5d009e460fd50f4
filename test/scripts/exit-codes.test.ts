import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { exitCode, scriptsNamed } from '../../lib/scripts/scripts';

const FOLDER = join(__dirname, '..', '..', 'lib', 'scripts');
const PROGRAMS = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .map((file): [string, string] => [basename(file), file])
  .filter(([, file]) => /\.(py|sh)$/.test(file))
  .map(([name, file]): [string, string] => [name, readFileSync(join(FOLDER, file), 'utf8').replace(/\n#? */g, ' ')])
  .filter(([, source]) => source.includes('Exit codes: ') && /from exit_codes import|postgres_client\.sh/.test(source));

const CODES = readFileSync(join(FOLDER, 'shared', 'exit_codes.py'), 'utf8').match(/^[A-Z_]+(?= = )/gm) ?? [];

/** The numbers after `Exit codes:` in the description of a program. */
function documented(source: string): number[] {
  const [, text = ''] = /Exit codes: (.*?)(?:"""|$)/.exec(source) ?? [];
  return [...text.matchAll(/(?:^|; )(\d+) /g)].map(([, code]) => Number(code));
}

function codesIn(source: string): number[] {
  return CODES.filter((name) => new RegExp(`\\b${name}\\b`).test(source)).map(exitCode);
}

test('programs of all kinds are looked at', () => {
  expect(PROGRAMS.map(([name]) => name)).toEqual(
    expect.arrayContaining(['migrate_database.py', 'write_userlist.py', 'restore_database.sh']),
  );
  expect(PROGRAMS.length).toBeGreaterThan(10);
});

test.each(PROGRAMS)('%s ends with the codes that its description has', (name, source) => {
  const files = Object.entries(scriptsNamed(name)).filter(([file]) => file !== 'exit_codes.py');
  const possible = files.flatMap(([, text]) => codesIn(text));
  expect(documented(source)).toEqual(expect.arrayContaining(codesIn(source)));
  expect([0, ...possible]).toEqual(expect.arrayContaining(documented(source)));
});

test('shell has the codes of Python', () => {
  const { 'postgres_client.sh': source = '' } = scriptsNamed('postgres_client.sh');
  const codes = [...source.matchAll(/^([A-Z_]+)=(\d+)$/gm)];
  expect(codes.length).toBeGreaterThan(3);
  expect(codes.map(([, name = '']) => exitCode(name))).toEqual(codes.map(([, , code]) => Number(code)));
});

test('an exit code that no script has', () => {
  expect(() => exitCode('NO_SUCH')).toThrow(new Error('exit_codes.py has no NO_SUCH'));
});
