import { ApiObject, Chart } from 'cdk8s';
import { DatabaseMigration, ExistingSecretPostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Sync waves of Argo CD by kind. All else is in wave 0, such as what the pod of the Job needs. */
const WAVES: Record<string, string | undefined> = { Job: '1', Deployment: '2', PersistentVolumeClaim: '2' };

/** ConfigMaps stay until the new pods are ready, and data stays whatever Argo CD removes. */
const SYNC_OPTIONS: Record<string, string | undefined> = {
  ConfigMap: 'PruneLast=true',
  PersistentVolumeClaim: 'Prune=false,Delete=false',
};

/** For Argo CD: the migration in a wave of its own. */
export class GitOps extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
      databaseMigration: DatabaseMigration.job(),
    });
    annotateForArgoCd(this);
  }
}

/** Adds waves and sync options to all objects of a chart. */
export function annotateForArgoCd(chart: Chart): void {
  for (const each of chart.node.findAll().filter((construct) => ApiObject.isApiObject(construct))) {
    const annotations = { 'sync-wave': WAVES[each.kind], 'sync-options': SYNC_OPTIONS[each.kind] };
    for (const [name, value] of Object.entries(annotations)) {
      if (value !== undefined) {
        each.metadata.addAnnotation(`argocd.argoproj.io/${name}`, value);
      }
    }
  }
}
