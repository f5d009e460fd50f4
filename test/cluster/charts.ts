// Charts of the tests on a cluster, beside the examples: node -r tsx/cjs test/cluster/charts.ts,
// into $CDK8S_OUTDIR; what a chart is changed to is in its folder `after`, the platform of three teams in `platform`, what is for
// OpenShift, the examples too, in `openshift`.
import { join } from 'node:path';

import { ApiObject, App, Chart, Size } from 'cdk8s';
import {
  BackupLocation,
  BitnamiArchitecture,
  BitnamiPasswords,
  BitnamiPostgres,
  ClusterSettings,
  DatabaseMigration,
  MlflowServer,
  type MlflowServerProps,
  Persistence,
  PgBouncer,
  PoolingProfile,
  PostgresBackup,
  Rules,
  ScriptFormat,
  UpgradeStrategy,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';

import { addExamples } from '../../examples/all';
import { annotateForArgoCd } from '../../examples/gitops';
import { addPlatform } from '../../examples/platform';

import { addControllerCharts } from './controller-charts';

/** A database in the cluster and two pods of MLflow, a PgBouncer between them or not. */
function twoPods(app: App, id: string, props: Partial<MlflowServerProps>, pooled = false): Chart {
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
  return chart;
}

/** All that reads the passwords of a PostgreSQL in the cluster, and the claims of its servers. */
function dayTwo(app: App, password: string, size: Size): void {
  const chart = new Chart(app, 'day-two');
  const postgres = new BitnamiPostgres(chart, 'postgres', {
    username: 'mlflow',
    passwords: BitnamiPasswords.fromLiterals({ password, replicationPassword: password }),
    architecture: BitnamiArchitecture.replication(),
    persistence: Persistence.newClaim({ size }),
  });
  new MlflowServer(chart, 'mlflow', { backend: new PgBouncer(chart, 'pgbouncer', { backend: postgres }), workers: 1 });
}

/** The same charts for either image: pods carry a label of the chart's id, so that another id would be a change, too. */
function upgrades(app: App, image?: string): void {
  const migrations = { init: DatabaseMigration.initContainer(), job: DatabaseMigration.job() };
  for (const [migration, databaseMigration] of Object.entries(migrations)) {
    for (const upgradeStrategy of Object.values(UpgradeStrategy)) {
      twoPods(app, `${migration}-${upgradeStrategy}`, { databaseMigration, upgradeStrategy, image });
    }
  }
  const underGit = (id: string): Chart => {
    const chart = twoPods(app, id, { databaseMigration: migrations.job, image });
    // Another ConfigMap of scripts, too, so that the old one is pruned.
    ClusterSettings.of(chart).apply({ scriptFormat: image ? ScriptFormat.READABLE : ScriptFormat.COMPACT });
    return chart;
  };
  annotateForArgoCd(underGit('argo-cd'));
  keepUnderFlux(underGit('flux'));
}

/** What docs/gitops.md says of Flux: it prunes neither ConfigMaps nor claims. */
function keepUnderFlux(chart: Chart): void {
  for (const each of chart.node.findAll().filter((construct) => ApiObject.isApiObject(construct))) {
    if (['ConfigMap', 'PersistentVolumeClaim'].includes(each.kind)) {
      each.metadata.addAnnotation('kustomize.toolkit.fluxcd.io/prune', 'disabled');
    }
  }
}

/** One of each kind of pod. */
function oneOfEach(app: App): void {
  const chart = new Chart(app, 'openshift');
  const backend = new BitnamiPostgres(chart, 'postgres', {
    username: 'mlflow',
    passwords: BitnamiPasswords.fromLiterals({ password: 'mlflow_password' }),
  });
  new MlflowServer(chart, 'mlflow', { backend: new PgBouncer(chart, 'pgbouncer', { backend }) });
  new PostgresBackup(chart, 'backup', {
    backend,
    target: BackupLocation.volume(Persistence.newClaim()),
  });
}

/** An app whose charts are applied one by one. */
function newApp(outdir?: string): App {
  const app = new App({ outdir });
  Rules.of(app).acknowledge('unique-name', 'Each chart is applied into a namespace of its own.');
  return app;
}

const app = newApp();
twoPods(app, 'two-pods', {});
// 3 pods x 2 workers x 4 threads are 24 calls at once: fewer than the connections of either PgBouncer.
twoPods(app, 'two-pods-pooled', { threads: 4 }, true);
dayTwo(app, 'mlflow_password', Size.gibibytes(8));
upgrades(app, process.env.TEST_OLD_MLFLOW_IMAGE);
addControllerCharts(app);
app.synth();

const after = newApp(join(app.outdir, 'after'));
dayTwo(after, 'another_password', Size.gibibytes(10));
upgrades(after);
after.synth();

const platform = new App({ outdir: join(app.outdir, 'platform') });
addPlatform(
  platform,
  ['alpha', 'beta', 'gamma'].map((name) => ({ name, replicas: 1, connections: 60 })),
);
platform.synth();

const openShift = newApp(join(app.outdir, 'openshift'));
ClusterSettings.of(openShift).apply(ClusterSettings.openShift());
oneOfEach(openShift);
addExamples(openShift);
openShift.synth();
