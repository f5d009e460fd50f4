import { Testing } from 'cdk8s';
import { BackupLocation, ExistingSecretPostgres, Persistence, PgBouncer, PostgresBackup } from 'cdk8s-mlflow';

import { chart, type Manifest, podOf } from '../../support/synth';

test('a pod mounts the ConfigMap that is made, when its content changed after the volume was made', () => {
  const scope = chart();
  const backend = new ExistingSecretPostgres(scope, 'postgres', {
    host: 'db',
    secretName: 'login',
    maxConnections: 100,
  });
  new PgBouncer(scope, 'pgbouncer', { backend });
  // Leaves fewer connections to the pools of PgBouncer.
  new PostgresBackup(scope, 'backup', { backend, target: BackupLocation.volume(Persistence.newClaim()) });
  const manifests = Testing.synth(scope);
  const made = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('pgbouncer'));
  const mounted = podOf(manifests).volumes.map((volume: Manifest) => volume.configMap?.name);
  expect(mounted).toContain(made?.metadata.name);
});
