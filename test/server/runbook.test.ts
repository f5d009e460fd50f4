import { App, Chart, Testing } from 'cdk8s';
import {
  Autoscaling,
  BitnamiPasswords,
  BitnamiPostgres,
  DatabaseMigration,
  ExternalPostgres,
  MlflowServer,
} from 'cdk8s-mlflow';

import { addExamples } from '../../examples/all';
import { anyBackend, chart, type Manifest, server, serverManifests } from '../support/synth';

const KINDS: Record<string, string> = {
  deployment: 'Deployment',
  statefulset: 'StatefulSet',
  job: 'Job',
  service: 'Service',
  secret: 'Secret',
  ingress: 'Ingress',
  hpa: 'HorizontalPodAutoscaler',
  'clusters.postgresql.cnpg.io': 'Cluster',
  'poolers.postgresql.cnpg.io': 'Pooler',
};
const NAMED = new RegExp(` (${Object.keys(KINDS).join('|')})[/ ]([-.a-z0-9]+)`);

function commandsOf(runbook: string): string[] {
  return [...runbook.matchAll(/```sh\n([\s\S]*?)\n```/g)].flatMap(([, block = '']) => block.split('\n'));
}

/** What a command names and the manifests do not have. */
function missing(command: string, manifests: Manifest[]): string[] {
  const [, kind = '', name = ''] = NAMED.exec(command) ?? [];
  const object = manifests.find((m) => m.kind === KINDS[kind] && m.metadata.name === name);
  const [, container] = / -c ([-a-z0-9]+)/.exec(command) ?? [];
  const [, selector] = / -l (\S+)/.exec(command) ?? [];
  const [, script] = / \/opt\/mlflow\/scripts\/(\w+\.py) /.exec(command) ?? [];
  const known = [
    kind === '' || object !== undefined || (kind === 'secret' && isReferred(name, manifests)),
    container === undefined || containersOf(object).includes(container),
    selector === undefined || isSelected(selector, manifests),
    script === undefined || manifests.some((m) => m.kind === 'ConfigMap' && script in m.data),
    kind !== '' || selector !== undefined || command.endsWith(' get events --sort-by=.lastTimestamp'),
  ];
  return known.every(Boolean) ? [] : [command];
}

function containersOf(workload: Manifest): string[] {
  const { initContainers = [], containers = [] } = workload?.spec.template.spec ?? {};
  return [...initContainers, ...containers].map(({ name }: Manifest) => name);
}

function isReferred(secret: string, manifests: Manifest[]): boolean {
  const references = [...JSON.stringify(manifests).matchAll(/"secretKeyRef":\{"key":"([^"]+)","name":"([^"]+)"/g)];
  return references.some(([, key = '', name]) => key.endsWith('password') && name === secret);
}

function isSelected(selector: string, manifests: Manifest[]): boolean {
  const labels = selector.split(',').map((each) => each.split('='));
  if (labels[0]?.[0] === 'kubernetes.io/service-name') {
    return manifests.some((m) => m.kind === 'Service' && m.metadata.name === labels[0]?.[1]);
  }
  return manifests.some(
    (m) =>
      m.kind === 'Deployment' && labels.every(([key = '', value]) => m.spec.template.metadata.labels[key] === value),
  );
}

const app = new App({ outdir: Testing.app().outdir });
addExamples(app);
const SERVERS = app.charts.flatMap((each) =>
  each.node
    .findAll()
    .filter((construct) => construct instanceof MlflowServer)
    .map((construct): [string, MlflowServer] => [construct.node.path, construct]),
);

test.each(SERVERS)('all that the runbook of %s names is there', (_, of) => {
  const commands = commandsOf(of.runbook());
  const manifests = Chart.of(of).toJson();
  expect(commands.length).toBeGreaterThan(15);
  expect(commands.flatMap((command) => missing(command, manifests))).toEqual([]);
});

test('a command that names something else is found', () => {
  const manifests = serverManifests();
  const wrong = [
    'kubectl logs deployment/other -c mlflow',
    'kubectl logs deployment/mlflow -c init',
    'kubectl get pods -l app.kubernetes.io/instance=other',
    'kubectl get nodes',
    'kubectl exec deployment/mlflow -c mlflow -- python /opt/mlflow/scripts/other.py login',
  ];
  expect(wrong.flatMap((command) => missing(command, manifests))).toEqual(wrong);
});

test('says in which namespace, and where the UI is', () => {
  const scope = chart('ml');
  const text = server(scope, { staticPrefix: '/tracking', service: { port: 80 } }).runbook();
  expect(commandsOf(text).every((command) => command.startsWith('kubectl -n ml '))).toBe(true);
  expect(text).toContain('Everything is in the namespace `ml`.');
  expect(text).toContain('kubectl -n ml port-forward service/mlflow 5000:80\n');
  expect(text).toContain('<http://localhost:5000/tracking/>');
  expect(text).toContain('kubectl -n ml describe secret db-login\n');
});

test('has a section only for what there is', () => {
  const titles = (text: string): string[] => [...text.matchAll(/^### (.*)$/gm)].map(([, title = '']) => title);
  const plain = server(chart()).runbook();
  expect(plain).toContain('The chart names no namespace');
  expect(titles(plain)).not.toContain('The database and what is in front of it');
  expect(titles(plain)).not.toContain('What did the migration Job say?');
  const job = server(chart(), { databaseMigration: DatabaseMigration.job() });
  expect(titles(job.runbook())).toContain('What did the migration Job say?');
  expect(job.runbook()).toContain(`kubectl logs job/${job.migrationJob?.name ?? ''} -c init-mlflow\n`);
});

test('has the diagram of the server and its database, and of no other', () => {
  const scope = chart();
  const passwords = BitnamiPasswords.fromLiterals({ postgresPassword: 'hunter2' });
  const text = server(scope, { backend: new BitnamiPostgres(scope, 'db', { passwords }) }).runbook();
  const backend = anyBackend(scope);
  server(scope, { backend }, 'other');
  expect(text).toMatch(/\n```mermaid\nflowchart LR\n[^`]* Deployment_mlflow -->\|"5432"\| Service_db\n[^`]*```\n/);
  expect(server(scope, { backend }, 'third').runbook()).not.toMatch(/Deployment_(mlflow|other)/);
});

test('describes the Ingress and the autoscaler, where there are any', () => {
  const autoscaling = Autoscaling.byResources({ minReplicas: 1, maxReplicas: 1 });
  const text = server(chart(), { autoscaling, ingress: { hosts: ['mlflow.example.com'] } }).runbook();
  expect(text).toContain('kubectl describe ingress mlflow\nkubectl describe hpa mlflow\n');
});

test('no password is in it', () => {
  const scope = chart();
  const backend = new ExternalPostgres(scope, 'postgres', { host: 'db', user: 'me', password: 'hunter2' });
  expect(server(scope, { backend }).runbook()).not.toContain('hunter2');
});
