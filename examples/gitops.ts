import { ApiObject, Chart } from 'cdk8s';
import { DatabaseMigration, ExistingSecretPostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Sync waves of Argo CD by kind. All else is in wave 0, such as what the pod of the Job needs. */
const WAVES: Record<string, string | undefined> = { Job: '1', Deployment: '2', PersistentVolumeClaim: '2' };

/** For Argo CD: the migration in a wave of its own, and ConfigMaps that stay until the new pods are ready. */
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
    for (const each of this.node.findAll().filter((construct) => ApiObject.isApiObject(construct))) {
      const wave = WAVES[each.kind];
      if (wave !== undefined) {
        each.metadata.addAnnotation('argocd.argoproj.io/sync-wave', wave);
      }
      if (each.kind === 'ConfigMap') {
        each.metadata.addAnnotation('argocd.argoproj.io/sync-options', 'PruneLast=true');
      }
    }
  }
}
