import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import {
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowAuth,
  MlflowMonitoring,
  MlflowServer,
  PostgresTls,
  PrometheusScrape,
  S3Artifacts,
  SecretKey,
} from 'cdk8s-mlflow';
import { EnvValue, Secret } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart mlflow of the MLflow project ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-environment --namespace mlflow \
 *     --from-literal=PASSWORD='<the PASSWORD of your values>' \
 *     --from-literal=OTHER_URI='<the OTHER_URI of your values>'
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-login --namespace mlflow \
 *     --from-literal=admin-password='<the password of the administrator, 12 characters or more>' \
 *     --from-literal=passphrase='<any random text of 32 characters or more>'
 *   kubectl create secret generic mlflow-metrics-login --namespace mlflow \
 *     --from-literal=username='<the name of an administrator>' \
 *     --from-literal=password='<the password of that administrator>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const mlflowEnvironmentSecret = Secret.fromSecretName(
      this,
      'mlflow-environment-secret',
      'mlflow-environment',
    );
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    // mlflow.backendStoreUri: {HOST} is no host: put that of the database into the app.
    // mlflow.artifactsDestination, mlflow.defaultArtifactRoot: ${BUCKET} is no name of a bucket or
    // a container: put it into the app.
    // env.MLFLOW_AUTH_CONFIG_PATH: The app writes the ini file of the login: its default permission
    // and the name of its database are options of MlflowAuth.basic().
    // mlflow.artifactsDestination: They have a template of Helm or a placeholder, which is text in
    // the app: put its result there.
    const server = new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new S3Artifacts({
        bucket: 'mlflow',
        prefix: 'mlflow',
        identity: AwsIdentity.ambient(),
      }),
      metrics: true,
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-login', 'passphrase') },
      auth: MlflowAuth.basic({
        adminPassword: SecretKey.fromSecretName('mlflow-login', 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName('auth', 'flask'),
      }),
      extraEnvVars: {
        OTHER_URI: EnvValue.fromSecretValue({ secret: mlflowEnvironmentSecret, key: 'OTHER_URI' }),
      },
    });
    ApiObject.of(server.deployment).addJsonPatch(
      JsonPatch.add('/spec/template/spec/containers/-', {
        name: 'sidecar',
        image: 'busybox:1.36',
        env: [
          {
            name: 'PASSWORD',
            valueFrom: { secretKeyRef: { name: 'mlflow-environment', key: 'PASSWORD' } },
          },
          { name: 'MODE', value: 'fast' },
        ],
      }),
    );
    new MlflowMonitoring(this, 'mlflow-monitoring', {
      server,
      scrape: PrometheusScrape.serviceMonitor({ basicAuthSecretName: 'mlflow-metrics-login' }),
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
