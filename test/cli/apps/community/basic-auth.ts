import { App, Chart, Duration } from 'cdk8s';
import {
  DefaultPermission,
  ExistingSecretPostgres,
  MlflowAuth,
  MlflowMonitoring,
  MlflowServer,
  PostgresTls,
  PrometheusScrape,
  SecretKey,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-login --namespace mlflow \
 *     --from-literal=admin-password='<the password of the administrator, 12 characters or more>' \
 *     --from-literal=flask-key='<any long random text>' \
 *     --from-literal=passphrase='<any random text of 32 characters or more>'
 *   kubectl create secret generic mlflow-metrics-login --namespace mlflow \
 *     --from-literal=username='<the name of an administrator>' \
 *     --from-literal=password='<the password of that administrator>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    const server = new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-login', 'passphrase') },
      auth: MlflowAuth.basic({
        adminUsername: 'root',
        adminPassword: SecretKey.fromSecretName('mlflow-login', 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName('mlflow-login', 'flask-key'),
        defaultPermission: DefaultPermission.NO_PERMISSIONS,
        database: 'mlflow_auth',
      }),
      service: { port: 80 },
      metrics: true,
    });
    new MlflowMonitoring(this, 'mlflow-monitoring', {
      server,
      scrape: PrometheusScrape.serviceMonitor({
        interval: Duration.minutes(1),
        timeout: Duration.seconds(20),
        basicAuthSecretName: 'mlflow-metrics-login',
      }),
      labels: { release: 'prometheus' },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
