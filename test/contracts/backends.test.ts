import { Testing } from 'cdk8s';
import { DatabaseMigration, type IPostgresBackend, MlflowServer } from 'cdk8s-mlflow';

import { chart, containerOf, env, type Manifest, only } from '../support/synth';

import { BACKENDS, type Make, OwnBackend, PASSWORD } from './registered';

const CASES: [string, Make<IPostgresBackend>][] = [
  ...Object.entries(BACKENDS).flatMap(([name, makers]) =>
    Object.entries(makers).map(([how, make]): [string, Make<IPostgresBackend>] => [`${name} ${how}`, make]),
  ),
  ['a backend of the user', (scope) => new OwnBackend(scope, 'postgres')],
];

describe.each(CASES)('%s', (_, newBackend) => {
  function synth(migration = DatabaseMigration.initContainer()): Manifest[] {
    const scope = chart();
    new MlflowServer(scope, 'mlflow', { backend: newBackend(scope), databaseMigration: migration });
    return Testing.synth(scope);
  }

  function connecting(manifests: Manifest[]): Manifest[] {
    const pods = manifests
      .filter((m) => m.kind === 'Job' || (m.kind === 'Deployment' && m.metadata.name === 'mlflow'))
      .map((m: Manifest) => m.spec.template.spec);
    const all = pods.flatMap((pod) => [...(pod.initContainers ?? []), ...pod.containers]);
    // A sidecar is a way to connect, and connects to nothing by itself.
    return all.filter(({ restartPolicy }) => restartPolicy === undefined);
  }

  test('connects every container in the same way, but for migrations, which go around a pooler', () => {
    const containers = connecting(synth(DatabaseMigration.job()));
    const isPooled = newBackend(chart()).connection.bypass !== undefined;
    // What checks the connection of the server is apart only where the migration has another.
    const inPod = isPooled ? ['wait-for-database', 'init-mlflow', 'mlflow'] : ['init-mlflow', 'mlflow'];
    expect(containers.map((c) => c.name)).toEqual(['wait-for-database', 'init-mlflow', ...inPod]);
    const connections = containers.map((c) =>
      Object.fromEntries(Object.entries(env(c)).filter(([name]) => /^PG(?!APPNAME)|BACKEND_STORE/.test(name))),
    );
    const mounts = containers.map((c) =>
      c.volumeMounts.filter((m: Manifest) => /^postgres-(direct-)?tls/.test(m.name)),
    );
    const [waitingInJob, migrating, ...ofPod] = containers.map((_, i) => [connections[i], mounts[i]]);
    const [migratingToo, serving] = ofPod.slice(-2);
    expect([waitingInJob, migratingToo]).toEqual([migrating, migrating]);
    expect(ofPod[0]).toEqual(serving);
    expect(JSON.stringify(migrating) === JSON.stringify(serving)).toBe(!isPooled);
    expect(Object.keys(connections[0] ?? {})).toEqual(
      expect.arrayContaining(['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGSSLMODE', 'PGCONNECT_TIMEOUT']),
    );
  });

  test('takes the password from a Secret that must exist, or a file, or has none; the rest as text or from a Secret', () => {
    const mlflow = containerOf(only(synth(), 'Deployment', 'mlflow').spec.template.spec, 'mlflow');
    const variables = env(mlflow);
    const { credentials, sidecar } = newBackend(chart()).connection;
    expect(variables.PGPASSWORD).toEqual(
      credentials.password && { secretKeyRef: { key: expect.any(String), name: expect.any(String) } },
    );
    const file = sidecar?.passwordFile;
    expect(variables.PGPASSFILE?.split('/').at(-1)).toBe(file?.name);
    expect(mlflow.volumeMounts.filter((m: Manifest) => m.name === (file?.volume.name ?? 'none'))).toEqual(
      file === undefined ? [] : [expect.objectContaining({ mountPath: variables.PGPASSFILE.replace(/\/[^/]+$/, '') })],
    );
    // Whoever has neither is let in by a proxy in the pod.
    expect(credentials.password ?? sidecar).toBeDefined();
    for (const name of ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER']) {
      const value = variables[name];
      expect(typeof value === 'string' ? value : value.secretKeyRef.name).toMatch(/./);
    }
  });

  test('keeps the URI free of everything but the driver', () => {
    for (const c of connecting(synth())) {
      expect(env(c).MLFLOW_BACKEND_STORE_URI).toBe('postgresql+psycopg2://');
    }
  });

  test('writes a literal password into a Secret and nowhere else', () => {
    const others = synth().filter((m) => m.kind !== 'Secret');
    expect(JSON.stringify(others)).not.toContain(JSON.stringify(PASSWORD).slice(1, -1));
  });

  test('refers only to Secrets that the chart makes, or that the caller named', () => {
    const manifests = synth();
    const made = manifests.filter((m) => m.kind === 'Secret').map((m) => m.metadata.name);
    const text = JSON.stringify(manifests);
    const used = [...text.matchAll(/"secretKeyRef":\{"key":"[^"]+","name":"([^"]+)"/g)].map((m) => m[1]);
    expect([...made, 'login', 'cluster-app', 'passwords', 'team-login']).toEqual(
      expect.arrayContaining([...new Set(used)]),
    );
  });

  test('gives pods the labels that open the database', () => {
    const scope = chart();
    const backend = newBackend(scope);
    new MlflowServer(scope, 'mlflow', { backend });
    const labels = only(Testing.synth(scope), 'Deployment', 'mlflow').spec.template.metadata.labels;
    expect(labels).toMatchObject(backend.connection.clientLabels);
  });
});
