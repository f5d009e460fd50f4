import { Chart } from 'cdk8s';
import { ExistingSecretPostgres, MlflowAuth, MlflowServer, SecretKey } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Single sign-on: a proxy in each pod, and MLflow behind it on the loopback address. */
export class SingleSignOn extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
      ingress: { hosts: ['mlflow.example.com'], tlsSecretName: 'mlflow-tls' },
      // The provider has to know https://mlflow.example.com/oauth2/callback.
      auth: MlflowAuth.oauth2Proxy({
        issuerUrl: 'https://keycloak.example.com/realms/company',
        clientId: 'mlflow',
        clientSecret: SecretKey.fromSecretName('mlflow-oauth2', 'client-secret'),
        cookieSecret: SecretKey.fromSecretName('mlflow-oauth2', 'cookie-secret'),
        emailDomains: ['example.com'],
        allowedGroups: ['data-science'],
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-oauth2', 'passphrase') },
    });
  }
}
