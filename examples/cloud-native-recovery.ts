import { Chart, JsonPatch, Size } from 'cdk8s';
import { CloudNativePostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

const PLUGIN = 'barman-cloud.cloudnative-pg.io';
const STORE = 'postgres-backups';

/**
 * The way back from `CloudNativeBackups`, applied in its place: a new cluster with what the database had at `targetTime`,
 * or with all that was archived, and the server on it. The old cluster stays until somebody deletes it.
 */
export class CloudNativeRecovery extends Chart {
  public constructor(scope: Construct, id: string, targetTime?: string) {
    super(scope, id);

    const postgres = new CloudNativePostgres(this, 'postgres-restored', {
      storage: { size: Size.gibibytes(20) },
      // It archives under its own name, beside the old cluster.
      plugins: [{ name: PLUGIN, isWalArchiver: true, parameters: { barmanObjectName: STORE } }],
    });
    const recovery = { source: 'old', database: 'mlflow', owner: 'mlflow' };
    const parameters = { barmanObjectName: STORE, serverName: 'postgres' };
    // The defaults, too: Argo CD compares the list as a whole.
    const plugin = { name: PLUGIN, enabled: true, isWALArchiver: false, parameters };
    postgres.cluster.addJsonPatch(
      JsonPatch.replace('/spec/bootstrap', {
        recovery: { ...recovery, ...(targetTime && { recoveryTarget: { targetTime } }) },
      }),
      JsonPatch.add('/spec/externalClusters', [{ name: 'old', plugin }]),
    );
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
