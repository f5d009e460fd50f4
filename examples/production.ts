import { ApiObject, Chart, Cron, Duration, Size } from 'cdk8s';
import {
  Autoscaling,
  AwsIdentity,
  BackupLocation,
  CloudNativePostgres,
  DatabaseMigration,
  DefaultPermission,
  FileSource,
  IngressController,
  MlflowAuth,
  MlflowGarbageCollection,
  MlflowMonitoring,
  MlflowServer,
  PoolingProfile,
  PostgresBackup,
  PrometheusScrape,
  S3Artifacts,
  SecretKey,
  TlsCertificate,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

const key = (name: string): SecretKey => SecretKey.fromSecretName('mlflow-auth', name);

/** All together, as a team depends on it. docs/production.md says what has to be in the cluster before. */
export class Production extends Chart {
  public constructor(scope: Construct, id: string, namespace: string) {
    super(scope, id, { namespace });

    const names = ['mlflow', `mlflow.${namespace}`, `mlflow.${namespace}.svc`];
    new ApiObject(this, 'certificate', {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      metadata: { name: 'mlflow-tls' },
      spec: { secretName: 'mlflow-tls', dnsNames: names, issuerRef: { kind: 'ClusterIssuer', name: 'your-own-ca' } },
    });
    const postgres = new CloudNativePostgres(this, 'postgres', {
      storage: { size: Size.gibibytes(50) },
      walStorage: { size: Size.gibibytes(10) },
      synchronousReplication: {},
      podMonitor: { labels: { release: 'kube-prometheus-stack' } },
    });
    const bucket = {
      endpoint: 'https://s3.example.com',
      identity: AwsIdentity.fromSecretName('mlflow-bucket'),
    };
    const ca = FileSource.fromSecret('mlflow-tls', 'ca.crt');
    const server = new MlflowServer(this, 'mlflow', {
      backend: postgres,
      // Four pods, and the one that a rolling update adds.
      pooling: PoolingProfile.fitting({ connections: 90, pods: 5, usersInDatabase: true }),
      autoscaling: Autoscaling.byResources({ minReplicas: 2, maxReplicas: 4 }),
      databaseMigration: DatabaseMigration.job({
        backupTo: BackupLocation.s3({ bucket: 'mlflow-backups', ...bucket }),
      }),
      artifactRoot: new S3Artifacts({ bucket: 'mlflow-artifacts', ...bucket }),
      auth: MlflowAuth.basic({
        adminPassword: key('admin-password'),
        flaskSecretKey: key('flask-key'),
        defaultPermission: DefaultPermission.NO_PERMISSIONS,
      }),
      encryption: { passphrase: key('passphrase') },
      certificate: TlsCertificate.fromSecretName('mlflow-tls'),
      ingress: {
        hosts: ['mlflow.example.com'],
        className: 'traefik',
        controller: IngressController.traefik({ ca }),
        tlsSecretName: 'mlflow-public-tls',
        annotations: { 'cert-manager.io/cluster-issuer': 'your-public-issuer' },
      },
      isolation: {},
      metrics: true,
    });
    const backup = new PostgresBackup(this, 'mlflow-backup', {
      backend: postgres,
      schedule: Cron.daily(),
      target: BackupLocation.s3({ bucket: 'mlflow-backups', prefix: 'nightly', ...bucket }),
      retention: { maxAge: Duration.days(30) },
      isolation: {},
    });
    const collection = new MlflowGarbageCollection(this, 'mlflow-gc', {
      server,
      schedule: Cron.weekly(),
      olderThan: Duration.days(30),
    });
    new MlflowMonitoring(this, 'mlflow-monitoring', {
      server,
      scrape: PrometheusScrape.serviceMonitor({ basicAuthSecretName: 'mlflow-scraper', tls: { ca } }),
      labels: { release: 'kube-prometheus-stack' },
      backups: [backup],
      operations: [collection],
    });
  }
}
