import { Testing } from 'cdk8s';
import {
  BackupLocation,
  ClusterSettings,
  DatabaseMigration,
  FileSource,
  MlflowTesting,
  PostgresBackup,
  ScriptFormat,
} from 'cdk8s-mlflow';

import { anyBackend, chart, type Manifest, only, podOf, scriptsOf, server } from '../support/synth';

const scriptFormats = [ScriptFormat.READABLE, ScriptFormat.COMPACT];

test.each(scriptFormats)('snapshots have neither scripts nor what follows from them: %s', (scriptFormat) => {
  const scope = chart();
  ClusterSettings.of(scope).apply({ scriptFormat, trustedCa: FileSource.fromConfigMap('cluster-ca', 'ca.crt') });
  const mlflow = server(scope, { databaseMigration: DatabaseMigration.job() });
  new PostgresBackup(scope, 'backup', { backend: mlflow.backend, target: BackupLocation.volume() });
  const manifests: Manifest[] = MlflowTesting.synth(scope);
  const text = JSON.stringify(manifests);
  expect(text).not.toMatch(/import |set -e|SELECT|UEsDB/);
  expect(podOf(manifests).volumes).toContainEqual({ name: 'scripts', configMap: { name: 'chart-scripts-digest' } });
  expect(only(manifests, 'Job').metadata.name).toBe('mlflow-migration-digest');
  // What follows from settings alone stays.
  expect(text).toMatch(/"chart-postgres-service-[0-9a-f]{8}"/);
  expect(text.length).toBeLessThan(JSON.stringify(Testing.synth(scope)).length / 2);
});

test('all else is as of Testing.synth()', () => {
  const scope = chart();
  anyBackend(scope);
  server(scope, { backend: anyBackend(chart()) });
  const [expected, actual] = [Testing.synth(scope), MlflowTesting.synth(scope)] as [Manifest[], Manifest[]];
  const { name } = scriptsOf(expected).metadata;
  const scripts = Object.keys(scriptsOf(expected).data);
  expect(only(actual, 'ConfigMap', 'chart-scripts-digest').data).toEqual(
    Object.fromEntries(scripts.map((file) => [file, `(${file} of cdk8s-mlflow)`])),
  );
  const others = (manifests: Manifest[]): Manifest[] =>
    manifests.filter(({ data }) => data?.[scripts[0] ?? ''] === undefined);
  expect(others(actual)).toEqual(JSON.parse(JSON.stringify(others(expected)).replaceAll(name, 'chart-scripts-digest')));
});
