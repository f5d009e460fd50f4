import { ApiObject, Chart, Size } from 'cdk8s';
import { CloudNativePostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

const PLUGIN = 'barman-cloud.cloudnative-pg.io';

/**
 * CloudNativePG with backups to a bucket: the write-ahead log as it is written, and the whole cluster each night, for
 * point-in-time recovery. It needs the operator and its plugin barman-cloud, and a Secret with the keys of the bucket:
 *
 *     kubectl create secret generic backup-bucket --from-literal=ACCESS_KEY_ID=your_id --from-literal=ACCESS_SECRET_KEY=your_key
 */
export class CloudNativeBackups extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    // They stay with the cluster where everything but the data is removed.
    const labels = { 'app.kubernetes.io/component': 'cluster' };
    const store = new ApiObject(this, 'store', {
      apiVersion: 'barmancloud.cnpg.io/v1',
      kind: 'ObjectStore',
      metadata: { name: 'postgres-backups', labels },
      spec: {
        retentionPolicy: '30d',
        configuration: {
          destinationPath: 's3://your-bucket/postgres',
          s3Credentials: {
            accessKeyId: { name: 'backup-bucket', key: 'ACCESS_KEY_ID' },
            secretAccessKey: { name: 'backup-bucket', key: 'ACCESS_SECRET_KEY' },
          },
          wal: { compression: 'gzip' },
          data: { compression: 'gzip' },
        },
      },
    });
    const postgres = new CloudNativePostgres(this, 'postgres', {
      storage: { size: Size.gibibytes(20) },
      plugins: [{ name: PLUGIN, isWalArchiver: true, parameters: { barmanObjectName: store.name } }],
    });
    new ApiObject(this, 'schedule', {
      apiVersion: 'postgresql.cnpg.io/v1',
      kind: 'ScheduledBackup',
      metadata: { name: 'postgres-nightly', labels },
      spec: {
        cluster: { name: postgres.cluster.name },
        // Seconds come first: each night at 2 o'clock, and once now.
        schedule: '0 0 2 * * *',
        immediate: true,
        backupOwnerReference: 'self',
        method: 'plugin',
        pluginConfiguration: { name: PLUGIN },
      },
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
