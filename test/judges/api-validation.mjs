// The program api-validation, with the CRDs of the custom resources that we make: what the API server would refuse.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { parse } from 'yaml';

import { goDownload, goInstall, installed, makeVirtualenv } from '../support/tools.mjs';

const HERE = join(dirname(fileURLToPath(import.meta.url)), 'api-validation');
const GO = join(HERE, '..', '..', 'support', 'requirements-go.txt');
const CRDS = join(HERE, 'crds.yaml');
const PROGRAM = ['main', 'judge', 'resources', 'custom', 'made', 'store', 'gitops'].map((name) => `${name}.go`);

/** A judge that answers any number of apps, one after the other. */
export class ApiValidation {
  constructor() {
    const folder = install();
    this.program = spawn(join(folder, 'bin', 'api-validation'), ['--crds', join(folder, 'crds')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.answers = createInterface({ input: this.program.stdout })[Symbol.asyncIterator]();
    this.last = Promise.resolve();
  }

  /** What is refused of the manifests in a YAML text. */
  judge(id, yaml) {
    const ask = async () => {
      this.program.stdin.write(`${JSON.stringify({ id, yaml })}\n`);
      const { value, done } = await this.answers.next();
      if (done) {
        throw new Error(`api-validation ended at ${id}.`);
      }
      return JSON.parse(value);
    };
    this.last = this.last.then(ask);
    return this.last;
  }

  end() {
    this.program.stdin.end();
  }
}

function install() {
  const sources = [GO, CRDS, ...['go.mod', 'go.sum', ...PROGRAM].map((name) => join(HERE, name))];
  return installed('api-validation', sources, [], (folder) => {
    const bin = join(folder, 'bin');
    const go = join(bin, 'go');
    makeVirtualenv('python3', folder, ['-r', GO]);
    goInstall(go, '.', bin, { cwd: HERE });
    mkdirSync(join(folder, 'crds'));
    for (const { module, sum, files } of parse(readFileSync(CRDS, 'utf8'))) {
      goDownload(go, module, sum, (source) => {
        files.forEach((file) => copyFileSync(join(source, file), join(folder, 'crds', basename(file))));
      });
    }
  });
}
