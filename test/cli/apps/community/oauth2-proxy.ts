import { App, Chart } from 'cdk8s';
import {
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
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      auth: MlflowAuth.oauth2Proxy({
        issuerUrl: 'https://sso.example.com/realms/main',
        clientId: 'mlflow',
        clientSecret: SecretKey.fromSecretName('proxy', 'secret'),
        redirectUrl: 'https://mlflow.example.com/oauth2/callback',
        cookieSecret: SecretKey.fromSecretName('proxy', 'cookie'),
        emailDomains: ['example.com'],
        allowedGroups: ['ml'],
        extraArgs: ['--cookie-name=mlflow'],
        image: 'quay.io/oauth2-proxy/oauth2-proxy:v7.15.6',
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-login', 'passphrase') },
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
