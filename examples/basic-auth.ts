import { Chart } from 'cdk8s';
import { DefaultPermission, ExistingSecretPostgres, MlflowAuth, MlflowServer, SecretKey } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow's own users and permissions, in PostgreSQL. What is secret is in a Secret that exists:
 *
 *     kubectl create secret generic mlflow-auth --namespace mlflow --from-literal=admin-password="$(openssl rand -base64 24)" \
 *       --from-literal=flask-key="$(openssl rand -hex 32)" --from-literal=passphrase="$(openssl rand -hex 32)"
 */
export class BasicAuth extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
      auth: MlflowAuth.basic({
        adminPassword: SecretKey.fromSecretName('mlflow-auth', 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName('mlflow-auth', 'flask-key'),
        defaultPermission: DefaultPermission.NO_PERMISSIONS,
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-auth', 'passphrase') },
    });
  }
}
