import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ApiObject, App, Chart, JsonPatch, Testing } from 'cdk8s';
import {
  AwsIdentity,
  ClusterSettings,
  Diagram,
  ExistingSecretPostgres,
  ExternalPostgres,
  MlflowServer,
  NetworkPeer,
  PgBouncer,
  S3Artifacts,
  SecretKey,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';

import { addExamples } from '../../examples/all';
import { chart, server } from '../support/synth';

// Mermaid refuses more: its `maxEdges` and `maxTextSize`.
const MOST_EDGES = 500;
const MOST_CHARACTERS = 50_000;

const linesOf = (diagram: string): string[] => diagram.trimEnd().split('\n');
const edgesOf = (diagram: string): string[] =>
  linesOf(diagram).flatMap((line) => {
    const [, from = '', arrow = '', targets = ''] = /^ {2}(\w+) (-->|-\.->|==>)(?:\|"[^"]*"\|)? (.+)$/.exec(line) ?? [];
    return targets === '' ? [] : targets.split(' & ').map((to) => `${from} ${arrow} ${to}`);
  });

test('a server with a pooler, in a chart that isolates it', () => {
  const scope = chart('ml');
  const postgres = new ExternalPostgres(scope, 'postgres', {
    host: 'db.example.com',
    user: 'u',
    password: 'a-password',
  });
  const identity = AwsIdentity.fromSecretName('s3-login');
  new MlflowServer(scope, 'mlflow', {
    backend: new PgBouncer(scope, 'pgbouncer', { backend: postgres }),
    artifactRoot: new S3Artifacts({ bucket: 'models', region: 'eu-west-1', identity }),
    isolation: { ingressControllers: [NetworkPeer.inNamespace('ingress')] },
    ingress: { hosts: ['mlflow.example.com'], className: 'nginx' },
  });
  expect(Diagram.mermaid(scope)).toBe(`flowchart LR
  subgraph of_pgbouncer["pgbouncer"]
    Deployment_pgbouncer["Deployment pgbouncer<br>write-userlist<br>pgbouncer"]
    Service_pgbouncer["Service pgbouncer"]
    ConfigMap_pgbouncer_config["ConfigMap pgbouncer-config<br>ServiceAccount pgbouncer<br>PodDisruptionBudget pgbouncer<br>NetworkPolicy pgbouncer"]
  end
  subgraph of_mlflow["mlflow"]
    Deployment_mlflow["Deployment mlflow<br>wait-for-database<br>init-mlflow<br>mlflow"]
    Service_mlflow["Service mlflow"]
    Ingress_mlflow["Ingress mlflow<br>mlflow.example.com"]
    ServiceAccount_mlflow["ServiceAccount mlflow<br>NetworkPolicy mlflow"]
  end
  Secret_postgres[("Secret postgres")]
  ConfigMap_chart_scripts["ConfigMap chart-scripts<br>ConfigMap chart-postgres-service"]
  db_example_com(["db.example.com"])
  s3_models(["s3://models"])
  Secret_s3_login(["Secret s3-login"])
  every_pod(["every pod"])
  every_pod_in_ingress(["every pod in ingress"])
  pods_in_kube_system_k8s_app_kube_dns(["pods in kube-system: k8s-app=kube-dns"])
  any_address(["any address"])
  Deployment_pgbouncer -->|"5432"| db_example_com
  Deployment_pgbouncer -.-> Secret_postgres
  Service_pgbouncer -->|"6432"| Deployment_pgbouncer
  Deployment_mlflow ==>|"6432"| Deployment_pgbouncer
  Deployment_mlflow -->|"6432"| Service_pgbouncer
  Deployment_mlflow -->|"5432"| db_example_com
  Deployment_mlflow --> s3_models
  Deployment_mlflow -.-> Secret_postgres & Secret_s3_login
  Service_mlflow -->|"5000"| Deployment_mlflow
  Ingress_mlflow --> Service_mlflow
  every_pod ==>|"5000"| Deployment_mlflow
  every_pod_in_ingress ==>|"5000"| Deployment_mlflow
  Deployment_mlflow ==>|"53"| pods_in_kube_system_k8s_app_kube_dns
  Deployment_mlflow ==>|"5432"| any_address
  Deployment_mlflow ==>|"443"| any_address
`);
});

test('an address without the login in it', () => {
  const scope = chart();
  const url = 'redis://user:a-p@ss@redis.example.com:6379/0';
  server(scope, { extraEnvVars: { JOBS: EnvValue.fromValue(url) } });
  const diagram = Diagram.mermaid(scope);
  expect(diagram).toContain('(["redis://redis.example.com:6379"])');
  expect(diagram).not.toMatch(/user|a-p|ss@/);
});

test('text is no syntax of Mermaid, HTML or Markdown', () => {
  const scope = chart();
  new ApiObject(scope, 'policy', {
    apiVersion: 'example.com/v1',
    kind: 'Cron`"]<script>',
    metadata: { name: 'it' },
    spec: { schedule: '0 3 * * * # "x" | {y} (z) ; %% end' },
  });
  expect(Diagram.mermaid(scope)).toBe(
    'flowchart LR\n' +
      '  Cron_script_it["Cron#96;#34;#93;#60;script#62; it<br>0 3 * * * #35; #34;x#34; #124; #123;y#125; #40;z#41; #59; #37;#37; end"]\n',
  );
});

test('two objects whose names differ in a sign have nodes of their own', () => {
  const scope = chart();
  for (const name of ['a.b', 'a-b']) {
    new ApiObject(scope, name, { apiVersion: 'v1', kind: 'Secret', metadata: { name } });
  }
  expect(Diagram.mermaid(scope)).toBe('flowchart LR\n  Secret_a_b[("Secret a.b")]\n  Secret_a_b_2[("Secret a-b")]\n');
});

test('a further object adds lines and changes none', () => {
  const before = chart();
  const after = chart();
  new ApiObject(after, 'first', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db-login' } });
  [before, after].forEach((each) =>
    server(each, { encryption: { passphrase: SecretKey.fromSecretName('own', 'key') } }),
  );
  const added = linesOf(Diagram.mermaid(after)).filter((line) => !linesOf(Diagram.mermaid(before)).includes(line));
  expect(added).toEqual(['  Secret_db_login[("Secret db-login")]']);
});

test('pods have what ClusterSettings and patches add, before the synthesis and after it', () => {
  const scope = chart();
  ClusterSettings.of(scope).apply({ imagePullSecrets: ['pull'] });
  const { deployment } = server(scope);
  ApiObject.of(deployment).addJsonPatch(
    JsonPatch.add('/spec/template/spec/volumes/-', { name: 'own', secret: { secretName: 'patched' } }),
  );
  const before = Diagram.mermaid(scope);
  expect(before).toMatch(/ Deployment_mlflow -\.-> .*Secret_patched/);
  expect(before).toMatch(/ Deployment_mlflow -\.-> .*Secret_pull/);
  Testing.synth(scope);
  expect(Diagram.mermaid(scope)).toBe(before);
});

test('30 teams in one chart are within what Mermaid takes', () => {
  const scope = chart('ml');
  for (let i = 1; i <= 30; i++) {
    const team = `team-${String(i)}`;
    const backend = new ExistingSecretPostgres(scope, `postgres-${team}`, {
      host: 'db.example.com',
      secretName: `${team}-login`,
    });
    server(scope, { backend, isolation: {}, ingress: { hosts: [`${team}.example.com`], className: 'nginx' } }, team);
  }
  const diagram = Diagram.mermaid(scope);
  expect(edgesOf(diagram).length).toBeGreaterThan(30 * 5);
  expect(edgesOf(diagram).length).toBeLessThanOrEqual(MOST_EDGES);
  expect(diagram.length).toBeLessThanOrEqual(MOST_CHARACTERS);
});

test('the nodes of each example are all that its edges name, and every object is there', () => {
  const app = new App({ outdir: Testing.app().outdir });
  addExamples(app);
  for (const each of app.charts) {
    const diagram = Diagram.mermaid(each);
    const ids = linesOf(diagram).flatMap((line) => /^ +(?:subgraph )?(\w+)[[(]/.exec(line)?.[1] ?? []);
    const named = edgesOf(diagram).flatMap((edge) => edge.split(/ \S+ /));
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(named.filter((id) => !ids.includes(id))).toEqual([]);
    const objects = each.node.findAll().filter((object) => ApiObject.isApiObject(object));
    const titles = objects.map(({ kind, name }) => `${kind} ${name.replace(/-[0-9a-f]{8}$/, '')}`);
    expect(titles.filter((title) => !diagram.includes(title))).toEqual([]);
  }
});

describe('Diagram.write', () => {
  const folder = mkdtempSync(join(tmpdir(), 'diagrams-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const appIn = (outdir: string): App => {
    const app = new App({ outdir });
    new Chart(app, 'empty');
    server(new Chart(app, 'tracking'));
    return app;
  };

  test('writes a file for each chart beside its YAML', () => {
    const app = appIn(folder);
    app.synth();
    Diagram.write(app);
    expect(readdirSync(folder).sort()).toEqual(['empty.k8s.yaml', 'tracking.k8s.yaml', 'tracking.mmd']);
    expect(app.charts.map((each) => Diagram.mermaid(each))).toContain(
      readFileSync(join(folder, 'tracking.mmd'), 'utf8'),
    );
  });

  test('writes none where Helm would take it for a manifest', () => {
    const chartFolder = join(folder, 'helm');
    Diagram.write(appIn(join(chartFolder, 'templates')));
    expect(readdirSync(chartFolder)).toEqual(['tracking.mmd']);
  });
});
