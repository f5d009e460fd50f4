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
 *     --from-literal=session-key='<any long random text>' \
 *     --from-literal=client-secret='<the secret of the client>' \
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
    // oidcAuth: The image must contain mlflow-oidc-auth, which MLflow's own does not: set `image`.
    // Its database (mlflow_oidc) must exist on the same PostgreSQL server, with the same login.
    // oidcAuth.sessionCookieSecure: `cookie: { secure, sameSite }` of MlflowAuth.oidc(): by default
    // it is secure where the redirect URL has https, and lax.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      image: 'registry.example.com/mlflow-oidc:3.18.0',
      artifactRoot: new VolumeArtifacts(),
      auth: MlflowAuth.oidc({
        issuerUrl: 'https://sso.example.com/realms/main',
        clientId: 'mlflow',
        clientSecret: SecretKey.fromSecretName('mlflow-login', 'client-secret'),
        redirectUrl: 'https://mlflow.example.com/callback',
        sessionSecretKey: SecretKey.fromSecretName('mlflow-login', 'session-key'),
        database: 'mlflow_oidc',
        adminGroups: ['ml-admins'],
        allowedGroups: ['ml', 'data'],
        scopes: ['openid', 'email', 'profile', 'groups'],
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-login', 'passphrase') },
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
