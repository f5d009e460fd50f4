import { Chart } from 'cdk8s';
import { EnvValue } from 'cdk8s-plus-28';
import { CustomLogin, ExistingSecretPostgres, FileSource, MlflowAuth, MlflowServer, SecretKey } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Users of an LDAP server, with MLflow's own permissions. The image has to contain `ldap3`. */
export class Ldap extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    new MlflowServer(this, 'mlflow', {
      image: 'registry.example.com/mlflow:v3.18.0-full-ldap3',
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
      auth: MlflowAuth.custom({
        login: CustomLogin.authorizationFunction('ldap_auth:authenticate', {
          adminPassword: SecretKey.fromSecretName('mlflow-auth', 'admin-password'),
          flaskSecretKey: SecretKey.fromSecretName('mlflow-auth', 'flask-key'),
        }),
        files: { 'ldap_auth.py': FileSource.fromConfigMap('ldap-auth', 'ldap_auth.py') },
        envVariables: {
          LDAP_URL: EnvValue.fromValue('ldaps://ldap.example.com'),
          LDAP_USERS: EnvValue.fromValue('ou=people,dc=example,dc=com'),
        },
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-auth', 'passphrase') },
    });
  }
}
