import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};

const APP = `
const { App, Chart } = require('cdk8s');
const { ExternalPostgres, MlflowServer } = require('cdk8s-mlflow');
const app = new App();
const chart = new Chart(app, 'mlflow');
const backend = new ExternalPostgres(chart, 'postgres', { host: 'db', user: 'me', password: 'secret' });
new MlflowServer(chart, 'mlflow', { backend });
app.synth();
`;

// Packs what `npm run build` made, as a release does.
test('the packed library synthesizes in an empty app, scripts included', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-app-'));
  const npm = (...args: string[]) => execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  try {
    const [{ filename }] = JSON.parse(npm('pack', ROOT, '--json', '--ignore-scripts')) as [{ filename: string }];
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    const peers = ['cdk8s', 'cdk8s-plus-28', 'constructs'].map((name) => `${name}@${String(devDependencies[name])}`);
    npm('install', '--no-audit', '--no-fund', '--prefer-offline', `./${filename}`, ...peers);
    writeFileSync(join(folder, 'app.js'), APP);
    execFileSync('node', ['app.js'], { cwd: folder, stdio: 'pipe' });
    const yaml = readFileSync(join(folder, 'dist', 'mlflow.k8s.yaml'), 'utf8');
    expect(yaml).toContain('kind: Deployment');
    expect(yaml).toContain('migrate_database.py: ');
    expect(yaml).toContain('pg_try_advisory_xact_lock');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 180_000);
