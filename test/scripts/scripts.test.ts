import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Chart, Testing } from 'cdk8s';
import {
  AwsIdentity,
  ClusterSettings,
  MlflowAuth,
  PgBouncer,
  PostgresTls,
  RdsPostgres,
  ScriptFormat,
  SecretKey,
  type MlflowServerProps,
} from 'cdk8s-mlflow';

import { contentDigest } from '../../lib/kube/values/digest';
import { ScriptFiles, scriptsNamed } from '../../lib/scripts/scripts';
import { anyBackend, chart, container, env, type Manifest, only, podOf, scriptsOf, server } from '../support/synth';

const FOLDER = '/opt/mlflow/scripts';

test('the ConfigMap of scripts is named by their content', () => {
  const scope = chart();
  ScriptFiles.named('probe_server.py').mount(scope);
  const { metadata, data } = only(Testing.synth(scope), 'ConfigMap');
  const changed = { ...data, 'probe_server.py': `${data['probe_server.py'] as string}\n` };
  expect(metadata.name).toBe(`${scope.node.id}-scripts-${contentDigest(data)}`);
  expect(metadata.name).not.toBe(`${scope.node.id}-scripts-${contentDigest(changed)}`);
});

test('a script brings the modules that it imports, and theirs', () => {
  expect(Object.keys(scriptsNamed('wait_for_database.py'))).toEqual([
    'database_check.py',
    'database_errors.py',
    'database_wait.py',
    'exit_codes.py',
    'init_container.py',
    'log_format.py',
    'wait_for_database.py',
  ]);
});

/** Names of the ConfigMaps that the pods mount as the volume `name`. */
function mounted(manifests: Manifest[], name: string): string[] {
  return manifests
    .filter(({ kind }) => kind === 'Deployment')
    .map(({ spec }) => spec.template.spec.volumes.find((volume: Manifest) => volume.name === name).configMap.name);
}

describe('servers of a chart', () => {
  const DIFFERENT: Partial<MlflowServerProps>[] = [{}, { metrics: true }, proxied()];

  function synth(count: number, prepare: (scope: Chart) => void = () => undefined): Manifest[] {
    const scope = chart('mlflow');
    prepare(scope);
    const backend = anyBackend(scope);
    for (let n = 0; n < count; n += 1) {
      server(scope, { ...DIFFERENT[n % DIFFERENT.length], backend }, `mlflow-${String(n)}`);
    }
    return Testing.synth(scope);
  }

  test('share the ConfigMaps of scripts and of libpq, whatever their props', () => {
    const manifests = synth(6);
    for (const name of ['scripts', 'postgres-service']) {
      expect(new Set(mounted(manifests, name)).size).toBe(1);
      expect(manifests.filter(({ metadata }) => metadata.name === mounted(manifests, name)[0])).toHaveLength(1);
    }
    expect(scriptsOf(manifests).metadata).toEqual({
      name: expect.stringMatching(/^chart-scripts-[0-9a-f]{8}$/),
      namespace: 'mlflow',
      labels: {
        'app.kubernetes.io/name': 'mlflow',
        'app.kubernetes.io/instance': 'chart',
        'app.kubernetes.io/component': 'scripts',
        'app.kubernetes.io/managed-by': 'cdk8s',
      },
    });
  });

  test('keep it when one of them goes: its name follows from the chart and the content alone', () => {
    const scope = chart();
    server(scope, {}, 'other');
    expect(mounted(Testing.synth(scope), 'scripts')).toEqual(mounted(synth(1), 'scripts'));
    expect(mounted(synth(2), 'scripts')[0]).toBe(mounted(synth(1), 'scripts')[0]);
  });

  test('come after it in the file', () => {
    const kinds = synth(2).map(({ kind, metadata }) => `${kind as string}/${metadata.name as string}`);
    const isFirst = (first: string, then: string) =>
      kinds.findIndex((each) => each.startsWith(first)) < kinds.indexOf(then);
    expect(isFirst('ConfigMap/chart-scripts-', 'Deployment/mlflow-0')).toBe(true);
    expect(isFirst('ConfigMap/chart-postgres-service-', 'Deployment/mlflow-0')).toBe(true);
  });

  test('of another chart have ConfigMaps of their own, in the same namespace, too: charts are pruned apart', () => {
    const app = Testing.app();
    const names = ['Team A', 'team-b'].map((id) => {
      const scope = new Chart(app, id, { namespace: 'mlflow' });
      server(scope, {}, id.toLowerCase().replace(' ', '-'));
      return scope;
    });
    app.synth();
    expect(names.flatMap((scope) => mounted(scope.toJson(), 'scripts'))).toEqual([
      expect.stringMatching(/^teama-[0-9a-f]{8}-scripts-[0-9a-f]{8}$/),
      expect.stringMatching(/^team-b-scripts-[0-9a-f]{8}$/),
    ]);
  });
});

describe('the compact form', () => {
  const COMPACT = { scriptFormat: ScriptFormat.COMPACT };

  function synth(props: Partial<MlflowServerProps> = {}): Manifest[] {
    const scope = chart();
    server(scope, props);
    ClusterSettings.of(scope).apply(COMPACT);
    return Testing.synth(scope);
  }

  /** The files of a zip by name, as Python reads them, and as it runs them. */
  function unzipped(zip: string): Record<string, string> {
    const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-zip-'));
    try {
      const file = join(folder, 'scripts.zip');
      writeFileSync(file, Buffer.from(zip, 'base64'));
      const read = 'import json, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; ';
      const print = 'print(json.dumps({name: z.read(name).decode() for name in z.namelist()}))';
      return JSON.parse(execFileSync('python3', ['-c', read + print, file], { encoding: 'utf8' })) as never;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('has the scripts of the readable one, byte by byte, and a program that runs them', () => {
    const readable = chart();
    server(readable);
    const { data, binaryData } = scriptsOf(synth());
    const { '__main__.py': main, ...python } = unzipped(binaryData['scripts.zip']);
    const { 'uvicorn_log.json': settings, ...scripts } = scriptsOf(Testing.synth(readable)).data;
    expect(python).toEqual(scripts);
    expect(data).toEqual({ 'uvicorn_log.json': JSON.stringify(JSON.parse(settings)) });
    expect(main).toBe(readFileSync(join(__dirname, '../../lib/scripts/zip/__main__.py'), 'utf8'));
  });

  test('is the same bytes each time, under a name of its own', () => {
    const [first, second] = [scriptsOf(synth()), scriptsOf(synth())];
    expect(second).toEqual(first);
    expect(first.metadata.name).toBe(`chart-scripts-${contentDigest(first.binaryData)}`);
    expect(mounted(synth(), 'scripts')).toEqual([first.metadata.name]);
  });

  test('runs every script from the zip: commands, probes, PYTHONPATH', () => {
    const manifests = synth({ ...proxied(), metrics: true });
    const mlflow = container(manifests, 'mlflow');
    expect(mlflow.command).toEqual([
      'python',
      `${FOLDER}/scripts.zip`,
      'serve_with_metrics',
      '/var/run/mlflow-metrics',
      'python',
      `${FOLDER}/scripts.zip`,
      'run_mlflow',
    ]);
    expect(mlflow.livenessProbe.exec.command).toEqual([
      ...['python', '-I', '-S', `${FOLDER}/scripts.zip`, 'probe_server', '5001', '/health'],
    ]);
    expect(env(mlflow).PYTHONPATH).toBe(`${FOLDER}/scripts.zip`);
    expect(container(manifests, 'init-mlflow').command).toEqual([
      'python',
      `${FOLDER}/scripts.zip`,
      'migrate_database',
    ]);
    expect(JSON.stringify(podOf(manifests))).not.toMatch(/scripts\/\w+\.py/);
  });

  test('reaches the sidecar of RDS and PgBouncer', () => {
    const scope = chart();
    const identity = AwsIdentity.ambient();
    const host = 'db.abc.eu-central-1.rds.amazonaws.com';
    server(scope, {
      backend: new RdsPostgres(scope, 'rds', { host, user: 'mlflow', identity, tls: PostgresTls.REQUIRE }),
    });
    new PgBouncer(scope, 'pgbouncer', { backend: anyBackend(scope) });
    ClusterSettings.of(scope).apply(COMPACT);
    const manifests = Testing.synth(scope);
    expect(container(manifests.filter(isNamed('mlflow')), 'rds-token')).toMatchObject({
      command: ['python', `${FOLDER}/scripts.zip`, 'write_rds_token'],
      startupProbe: { exec: { command: ['python', `${FOLDER}/scripts.zip`, 'write_rds_token', '--check'] } },
    });
    expect(container(manifests.filter(isNamed('pgbouncer')), 'write-userlist').command).toEqual([
      'python',
      `${FOLDER}/scripts.zip`,
      'write_userlist',
    ]);
    expect(JSON.stringify(manifests)).not.toContain('import ');
  });

  test('is named by the runbook', () => {
    const scope = chart();
    const mlflow = server(scope);
    expect(mlflow.runbook()).toContain(`-- python ${FOLDER}/inspect_database.py login`);
    ClusterSettings.of(scope).apply(COMPACT);
    expect(mlflow.runbook()).toContain(`-- python ${FOLDER}/scripts.zip inspect_database login`);
  });

  test('of a chart in an app of the other form', () => {
    const app = Testing.app();
    ClusterSettings.of(app).apply(COMPACT);
    const compact = new Chart(app, 'a');
    const readable = new Chart(app, 'b');
    server(compact, {}, 'a');
    server(readable, {}, 'b');
    ClusterSettings.of(readable).apply({ scriptFormat: ScriptFormat.READABLE });
    app.synth();
    expect(scriptsOf(compact.toJson())).toHaveProperty('binaryData');
    expect(scriptsOf(readable.toJson())).not.toHaveProperty('binaryData');
    expect(container(readable.toJson(), 'mlflow').command).toEqual(['python', `${FOLDER}/run_mlflow.py`]);
  });

  test('is refused for a part of a chart', () => {
    const scope = chart();
    const mlflow = server(scope);
    expect(() => {
      ClusterSettings.of(mlflow).apply(COMPACT);
    }).toThrow(
      '[chart/mlflow] `scriptFormat` must be set for an app or a chart: all pods of a chart share the ConfigMaps of scripts. Use ClusterSettings.of(Chart.of(…)).',
    );
  });

  test('is short: thirty teams in namespaces of their own', () => {
    const app = Testing.app();
    ClusterSettings.of(app).apply(COMPACT);
    for (let team = 0; team < 30; team += 1) {
      const scope = new Chart(app, `team-${String(team)}`, { namespace: `team-${String(team)}` });
      server(scope, {}, `mlflow-${String(team)}`);
    }
    expect(app.synthYaml().split('\n').length).toBeLessThan(15_000);
  });
});

function isNamed(name: string): (manifest: Manifest) => boolean {
  return ({ kind, metadata }: Manifest) => kind === 'Deployment' && metadata.name === name;
}

function proxied(): Partial<MlflowServerProps> {
  const key = (name: string): SecretKey => SecretKey.fromSecretName('sso', name);
  const auth = MlflowAuth.oauth2Proxy({
    issuerUrl: 'https://sso.example.com',
    clientId: 'mlflow',
    clientSecret: key('client-secret'),
    cookieSecret: key('cookie-secret'),
    emailDomains: ['example.com'],
  });
  return { auth, encryption: { passphrase: key('passphrase') } };
}
