import { libraryPackage, type NewApp, pipeline, readme } from './new-app';

/** A new app in TypeScript. */
export function typescriptApp(name: string): NewApp {
  const { version, engines, peerDependencies, devDependencies } = libraryPackage();
  const tools = ['@types/node', 'tsx', 'typescript'];
  const manifest = {
    name,
    private: true,
    engines,
    scripts: { synth: 'tsx main.ts', test: 'tsc && node --import tsx --test test/*.test.ts' },
    dependencies: { 'cdk8s-mlflow': version, ...peerDependencies },
    devDependencies: Object.fromEntries(tools.map((tool) => [tool, devDependencies[tool]])),
  };
  const compilerOptions = {
    target: 'ES2022',
    module: 'Node16',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  return {
    files: {
      'package.json': json(manifest),
      'tsconfig.json': json({ compilerOptions, include: ['*.ts', 'test'] }),
      'cdk8s.yaml': 'language: typescript\napp: npx tsx main.ts\n',
      'main.ts': `import { App } from 'cdk8s';

import { Mlflow } from './mlflow';

const app = new App();
new Mlflow(app, '${name}');
app.synth();
`,
      'mlflow.ts': `import { Chart } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** An MLflow server, in a namespace of the chart's name. */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: id });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'your-postgres-host',
      secretName: \`\${id}-database\`,
    });
    new MlflowServer(this, id, { backend: postgres });
  }
}
`,
      'test/mlflow.test.ts': `import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Testing } from 'cdk8s';

import { Mlflow } from '../mlflow';

test('a Deployment and a Service of the same name', () => {
  const chart = new Mlflow(Testing.app(), '${name}');
  const named = Testing.synth(chart).map(({ kind, metadata }) => \`\${kind} \${metadata.name}\`);
  assert.deepEqual(named.filter((each) => /^(Deployment|Service) /.test(each)).sort(), ['Deployment ${name}', 'Service ${name}']);
});
`,
      '.gitignore': 'node_modules/\ndist/\n',
      '.github/workflows/synth.yml': pipeline([
        'uses: actions/setup-node@v4\n        with:\n          node-version: 22\n          cache: npm',
        'run: npm ci',
        'run: npm test',
        'run: npm run synth',
      ]),
      'README.md': readme(name, { test: 'npm install && npm test', synth: 'npm run synth' }),
    },
    next: ['npm install', 'npm test', 'npm run synth'],
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
