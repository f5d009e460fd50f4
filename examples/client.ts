import { ApiObject, Chart, Cron, JsonPatch, Size } from 'cdk8s';
import {
  ExistingSecretPostgres,
  FileSource,
  MlflowAuth,
  MlflowLogin,
  MlflowServer,
  SecretKey,
  TlsCertificate,
} from 'cdk8s-mlflow';
import { Cpu, CronJob } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

const TRAINING = 'import mlflow; mlflow.set_experiment("nightly"); mlflow.log_metric("loss", 0.1)';

/** A training of your own that logs to the server: its pods get the address, a login and the CA, and the server lets them alone in. */
export class Client extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const key = (name: string): SecretKey => SecretKey.fromSecretName('mlflow-auth', name);
    const login = { host: 'your-postgres-host', secretName: 'postgres-database-secret' };
    const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', login),
      // The certificate is for mlflow.mlflow, the name in the cluster.
      certificate: TlsCertificate.fromSecretName('mlflow-tls'),
      auth: MlflowAuth.basic({ adminPassword: key('admin-password'), flaskSecretKey: key('flask-key') }),
      encryption: { passphrase: key('passphrase') },
      isolation: { clients: [] },
    });

    const training = new CronJob(this, 'training', {
      metadata: { name: 'training' },
      schedule: Cron.daily(),
      containers: [
        {
          name: 'train',
          image: 'registry.example.com/training:1.0',
          command: ['python', '-c', TRAINING],
          resources: {
            cpu: { request: Cpu.millis(500), limit: Cpu.units(1) },
            memory: { request: Size.mebibytes(512), limit: Size.mebibytes(512) },
            ephemeralStorage: { request: Size.gibibytes(1), limit: Size.gibibytes(1) },
          },
        },
      ],
    });
    // A namespace of the restricted standard requires both, and cdk8s-plus-28 has no props for them.
    const path = '/spec/jobTemplate/spec/template/spec/containers/0/securityContext';
    ApiObject.of(training).addJsonPatch(
      JsonPatch.add(`${path}/capabilities`, { drop: ['ALL'] }),
      JsonPatch.add(`${path}/seccompProfile`, { type: 'RuntimeDefault' }),
    );
    server.connect(training, {
      login: MlflowLogin.fromSecretName('training-login'),
      ca: FileSource.fromSecret('mlflow-tls', 'ca.crt'),
    });
  }
}
