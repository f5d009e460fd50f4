import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import type { App } from 'cdk8s';
import { MlflowServer } from 'cdk8s-mlflow';

/** Writes, beside the YAML of each chart, how to verify its servers and what to do when something is wrong. */
export function writeRunbooks(app: App): void {
  // In a Helm chart (`cdk8s synth --format helm`), Helm takes each file of the folder `templates` for a manifest.
  const folder = basename(app.outdir) === 'templates' ? dirname(app.outdir) : app.outdir;
  for (const chart of app.charts) {
    const servers = chart.node.findAll().filter((each) => each instanceof MlflowServer);
    if (servers.length > 0) {
      const runbooks = servers.map((server) => server.runbook());
      writeFileSync(join(folder, `${chart.node.id}.runbook.md`), runbooks.join('\n'));
    }
  }
}
