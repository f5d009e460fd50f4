import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { type Command, EXIT, type Output, UsageError } from '../command';
import { chosen } from '../input';

import type { NewApp } from './new-app';
import { pythonApp } from './python-app';
import { typescriptApp } from './typescript-app';

const LANGUAGES: Readonly<Record<string, (name: string) => NewApp>> = { typescript: typescriptApp, python: pythonApp };

const HELP = `Usage: cdk8s-mlflow init [options] [folder]

Writes an app with one MLflow server, its test and a pipeline that synthesizes it, into the folder (default:
the current one). A file that exists is never replaced: then nothing is written.

Options:
  --language <language>   ${Object.keys(LANGUAGES).join(' or ')} (default: typescript)
  --name <name>           name of the chart, of its file in dist/ and of the namespace (default: mlflow)
  -h, --help              this text

Exit codes:
  0  done
  1  files are there already, or the folder cannot be written to
  2  wrong options
`;

/** Writes a new app. */
export const INIT: Command = {
  name: 'init',
  summary: 'writes an app with one server, a test and a pipeline',
  run: (args, output) => {
    const { help, language, name, folder } = optionsOf(args);
    if (help) {
      output.out(HELP);
      return EXIT.OK;
    }
    const make = chosen('--language', language, LANGUAGES);
    if (!/^[a-z]([-a-z0-9]{0,51}[a-z0-9])?$/.test(name)) {
      throw new UsageError(
        `--name must be a name of Kubernetes that starts with a letter (lower case letters, digits, dashes), got "${name}".`,
      );
    }
    return write(make(name), folder, output);
  },
};

interface Options {
  readonly help: boolean;
  readonly language: string;
  readonly name: string;
  readonly folder: string;
}

function optionsOf(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        language: { type: 'string', default: 'typescript' },
        name: { type: 'string', default: 'mlflow' },
      },
    });
    if (positionals.length > 1) {
      throw new UsageError(`There is one folder, got ${positionals.join(', ')}.`);
    }
    return { ...values, folder: positionals[0] ?? '.' };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function write({ files, next }: NewApp, folder: string, { out, err }: Output): number {
  const paths = Object.keys(files);
  const there = paths.filter((path) => existsSync(join(folder, path)));
  if (there.length > 0) {
    err(`${folder} has ${there.join(', ')} already. Nothing was written: take another folder.\n`);
    return EXIT.INPUT;
  }
  const written: string[] = [];
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      // Not over a file that somebody else has made meanwhile.
      writeFileSync(join(folder, path), text, { flag: 'wx' });
      written.push(path);
    }
  } catch (error) {
    written.forEach((path) => {
      rmSync(join(folder, path));
    });
    err(`${folder}: ${(error as Error).message}. Nothing was written.\n`);
    return EXIT.INPUT;
  }
  out(
    [...written.map((path) => `wrote ${join(folder, path)}`), '', `Next, in ${basename(resolve(folder))}:`, ''].join(
      '\n',
    ),
  );
  out(next.map((command) => `  ${command}\n`).join(''));
  return EXIT.OK;
}
