import { Chart } from 'cdk8s';
import {
  AwsIdentity,
  BitnamiPasswords,
  BitnamiPostgres,
  DatabaseMigration,
  MlflowServer,
  NetworkPeer,
  PgBouncer,
  S3Addressing,
  S3Artifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Every pod reaches what it needs, and is reached by whom it serves. The edges follow from the backend and the store. */
export class Isolated extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new BitnamiPostgres(this, 'postgres', {
      username: 'mlflow',
      passwords: BitnamiPasswords.fromSecretName('postgres-passwords'),
      isolation: {},
    });
    new MlflowServer(this, 'mlflow', {
      backend: new PgBouncer(this, 'pgbouncer', { backend: postgres, isolation: {} }),
      threads: 7,
      databaseMigration: DatabaseMigration.job(),
      artifactRoot: new S3Artifacts({
        bucket: 'mlflow',
        endpoint: 'http://minio:9000',
        addressing: S3Addressing.PATH,
        identity: AwsIdentity.fromSecretName('minio-login'),
        // Without it, the server may reach every address on port 9000.
        route: { peers: [NetworkPeer.pods({ app: 'minio' })] },
      }),
      ingress: { hosts: ['mlflow.example.com'], className: 'nginx' },
      isolation: { clients: [NetworkPeer.pods({ 'mlflow-client': 'true' }), NetworkPeer.inNamespace('notebooks')] },
    });
  }
}
