// from_helm_apps.ts <folder>: prints each app of test/cli/values in Python there, and synthesizes the one that is in TypeScript.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { python } from '../../lib/cli/code/python';
import { convert } from '../../lib/cli/from-helm/convert';
import { CHARTS } from '../../lib/cli/from-helm/from-helm';
import { parseValues } from '../../lib/cli/from-helm/values-file';

const [, , folder = ''] = process.argv;
const VALUES = join(__dirname, '../cli/values');

for (const [name, chart] of Object.entries(CHARTS)) {
  for (const file of readdirSync(join(VALUES, name))) {
    const values = parseValues(file, readFileSync(join(VALUES, name, file), 'utf8'));
    const app = `${name}-${basename(file, '.yaml')}`;
    mkdirSync(join(folder, app), { recursive: true });
    writeFileSync(join(folder, app, 'app.py'), python(convert(chart, [values], 'mlflow', 'mlflow').program));
    process.env.CDK8S_OUTDIR = join(folder, app, 'typescript');
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require(join(__dirname, '../cli/apps', name, `${basename(file, '.yaml')}.ts`));
  }
}
