import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What `init` writes. */
export interface NewApp {
  /** Texts of the files by their paths. */
  readonly files: Readonly<Record<string, string>>;
  /** Commands to go on with. */
  readonly next: readonly string[];
}

interface Package {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** The package.json of this library, which has the versions that work together. */
export function libraryPackage(): Package {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    folder = dirname(folder);
  }
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;
}

/** README.md of a new app. */
export function readme(name: string, commands: { readonly test: string; readonly synth: string }): string {
  return `# MLflow

An MLflow server on PostgreSQL on Kubernetes, as an app of [cdk8s](https://cdk8s.io) and cdk8s-mlflow.

\`\`\`sh
${commands.test}
${commands.synth}   # writes dist/${name}.k8s.yaml
\`\`\`

The login of the database is a Secret, which is not in this app:

\`\`\`sh
kubectl create namespace ${name}
kubectl create secret generic ${name}-database --namespace ${name} \\
  --from-literal=username=mlflow --from-literal=password='<the password of the role>'
kubectl apply -f dist/${name}.k8s.yaml
kubectl rollout status --namespace ${name} deployment/${name}
kubectl port-forward --namespace ${name} svc/${name} 5000:5000   # http://localhost:5000
\`\`\`
`;
}

/** A pipeline that tests and synthesizes the app, and keeps the YAML. */
export function pipeline(steps: readonly string[]): string {
  return `name: synth
on: [push, pull_request]
permissions:
  contents: read
jobs:
  synth:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
${steps.map((step) => `      - ${step}\n`).join('')}      - uses: actions/upload-artifact@v4
        with:
          name: manifests
          path: dist/
`;
}
