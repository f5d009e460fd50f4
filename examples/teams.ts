import { Chart, Cron, Duration } from 'cdk8s';
import {
  BackupLocation,
  DatabaseMigration,
  DefaultPermission,
  ExistingSecretPostgres,
  MigrationRollback,
  MlflowAuth,
  MlflowMonitoring,
  MlflowServer,
  MlflowTraceArchival,
  NetworkPeer,
  PrometheusScrape,
  SecretKey,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

const key = (name: string): SecretKey => SecretKey.fromSecretName('mlflow-auth', name);

/** A server for several teams: workspaces, an AI Gateway to a model in the cluster, old traces out of the database, a way back. */
export class Teams extends Chart {
  public constructor(scope: Construct, id: string, namespace: string) {
    super(scope, id, { namespace });

    const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'mlflow-database',
      }),
      auth: MlflowAuth.basic({
        adminPassword: key('admin-password'),
        flaskSecretKey: key('flask-key'),
        grantDefaultWorkspaceAccess: true,
        defaultPermission: DefaultPermission.USE,
      }),
      encryption: { passphrase: key('passphrase') },
      workspaces: true,
      aiGateway: {
        allowedProviders: ['openai'],
        // A vLLM, which has the API of this provider.
        allowPrivateAddresses: true,
        allowHttp: true,
        upstreams: [{ peers: [NetworkPeer.podsOf('models', { app: 'vllm' })], ports: [8000] }],
      },
      isolation: {},
      traceArchival: { retention: Duration.days(30) },
      databaseMigration: DatabaseMigration.job({ backupTo: BackupLocation.volume() }),
      metrics: true,
    });
    new MigrationRollback(this, 'mlflow-rollback', { server });
    new MlflowMonitoring(this, 'mlflow-monitoring', {
      server,
      scrape: PrometheusScrape.serviceMonitor({ basicAuthSecretName: 'mlflow-scraper' }),
      operations: [new MlflowTraceArchival(this, 'mlflow-trace-archival', { server, schedule: Cron.hourly() })],
    });
  }
}
