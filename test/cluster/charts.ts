// Charts of the tests on a cluster, beside the examples: node -r tsx/cjs test/cluster/charts.ts, into $CDK8S_OUTDIR.
import { App, Chart } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  DatabaseMigration,
  MlflowServer,
  type MlflowServerProps,
  Persistence,
  PgBouncer,
  PoolingProfile,
  UpgradeStrategy,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';

/** A database in the cluster and two pods of MLflow, a PgBouncer between them or not. */
function twoPods(id: string, props: Partial<MlflowServerProps>, pooled = false): void {
  const chart = new Chart(app, id);
  const postgres = new BitnamiPostgres(chart, 'postgres', {
    username: 'mlflow',
    passwords: BitnamiPasswords.fromLiterals({ password: 'mlflow_password' }),
  });
  new MlflowServer(chart, 'mlflow', {
    backend: pooled ? new PgBouncer(chart, 'pgbouncer', { backend: postgres }) : postgres,
    replicas: 2,
    pooling: PoolingProfile.HIGH_AVAILABILITY,
    artifactRoot: new VolumeArtifacts({
      persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
    }),
    ...props,
  });
}

const app = new App();
twoPods('two-pods', {});
// 3 pods x 2 workers x 4 threads are 24 calls at once: fewer than the connections of either PgBouncer.
twoPods('two-pods-pooled', { threads: 4 }, true);
// An image change, as it is before and after.
const migrations = { init: DatabaseMigration.initContainer(), job: DatabaseMigration.job() };
for (const [migration, databaseMigration] of Object.entries(migrations)) {
  for (const upgradeStrategy of Object.values(UpgradeStrategy)) {
    const id = `${migration}-${upgradeStrategy}`;
    twoPods(`${id}-old`, { databaseMigration, upgradeStrategy, image: process.env.TEST_OLD_MLFLOW_IMAGE });
    twoPods(`${id}-new`, { databaseMigration, upgradeStrategy });
  }
}
app.synth();
