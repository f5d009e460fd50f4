import { App, Chart } from 'cdk8s';
import {
  CustomLogin,
  ExistingSecretPostgres,
  FileSource,
  MlflowAuth,
  MlflowServer,
  PostgresTls,
  SecretKey,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';
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
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    // ldapAuth: Write a function that asks your LDAP server, in a ConfigMap, and use it with
    // MlflowAuth.custom(): examples/ldap.ts and docs/logins.md. The groups and filters of the
    // values go into its variables.
    // ldapAuth.externalSecretForTrustedCACertificate: The CA of the LDAP server, in the Secret
    // ldap-ca: `ClusterSettings.of(server).apply({ trustedCa: FileSource.fromSecret('ldap-ca', key)
    // })`.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-login', 'passphrase') },
      auth: MlflowAuth.custom({
        login: CustomLogin.authorizationFunction('ldap_auth:authenticate', {
          adminPassword: SecretKey.fromSecretName('mlflow-login', 'admin-password'),
          flaskSecretKey: SecretKey.fromSecretName('mlflow-login', 'flask-key'),
        }),
        files: { 'ldap_auth.py': FileSource.fromConfigMap('ldap-auth', 'ldap_auth.py') },
        envVariables: {
          LDAP_URL: EnvValue.fromValue('ldaps://ldap.example.com'),
          LDAP_LOOKUP_BIND: EnvValue.fromValue('uid=%s,ou=people,dc=example,dc=com'),
          LDAP_GROUP_SEARCH_BASE_DN: EnvValue.fromValue('ou=groups,dc=example,dc=com'),
          LDAP_GROUP_ADMIN_DN: EnvValue.fromValue('cn=admins,ou=groups,dc=example,dc=com'),
        },
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
