import { App, Chart } from 'cdk8s';
import {
  CustomLogin,
  ExistingSecretPostgres,
  MlflowAuth,
  MlflowServer,
  PostgresTls,
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
 *     --from-literal=flask-key='<any long random text>' \
 *     --from-literal=passphrase='<any random text of 32 characters or more>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    // auth.existingAdminSecret.usernameKey: The administrator's name is no secret: set
    // `adminUsername`, if it is not admin, to what mlflow-admin has below name.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-login', 'passphrase') },
      auth: MlflowAuth.custom({
        login: CustomLogin.authorizationFunction('company.login:authenticate', {
          adminPassword: SecretKey.fromSecretName('mlflow-admin', 'pass'),
          flaskSecretKey: SecretKey.fromSecretName('mlflow-login', 'flask-key'),
        }),
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
