import { Chart, Cron } from 'cdk8s';
import {
  ExistingSecretPostgres,
  FileSource,
  MlflowAuth,
  MlflowLogin,
  MlflowServer,
  SecretKey,
  TlsCertificate,
} from 'cdk8s-mlflow';
import { CronJob } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

const TRAINING = 'import mlflow; mlflow.set_experiment("nightly"); mlflow.log_metric("loss", 0.1)';

/** A training of your own that logs to the server: its pods get the address, a login and the CA, and the server lets them alone in. */
export class Client extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
      // The certificate is for mlflow.mlflow, the name in the cluster.
      certificate: TlsCertificate.fromSecretName('mlflow-tls'),
      auth: MlflowAuth.basic({
        adminPassword: SecretKey.fromSecretName('mlflow-auth', 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName('mlflow-auth', 'flask-key'),
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-auth', 'passphrase') },
      isolation: { clients: [] },
    });

    const training = new CronJob(this, 'training', {
      metadata: { name: 'training' },
      schedule: Cron.daily(),
      containers: [{ name: 'train', image: 'registry.example.com/training:1.0', command: ['python', '-c', TRAINING] }],
    });
    server.connect(training, {
      // A user of MLflow, whom its administrator has made.
      login: MlflowLogin.fromSecretName('training-login'),
      ca: FileSource.fromSecret('mlflow-tls', 'ca.crt'),
    });
  }
}
