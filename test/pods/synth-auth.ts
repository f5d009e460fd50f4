import { Duration } from 'cdk8s';
import { EnvValue } from 'cdk8s-plus-28';
import { type BasicAuthOptions, CustomLogin, DefaultPermission, FileSource, MlflowAuth, SecretKey } from 'cdk8s-mlflow';

/** How users log in to the server of a case. */
export interface AuthCase {
  /** Logins from the Secret `auth`. */
  readonly basicAuth?: Pick<BasicAuthOptions, 'database' | 'defaultPermission' | 'grantDefaultWorkspaceAccess'>;
  /** A login of the case's own, with its files in the ConfigMap `login` and the Secret's key `login` as LOGIN. */
  readonly customAuth?: CustomAuthCase;
  readonly oauth2Proxy?: { readonly issuerUrl: string; readonly redirectUrl: string };
}

interface CustomAuthCase {
  /** The function, or else the app. */
  readonly function?: string;
  readonly app?: string;
  /** Keys of the ConfigMap by the paths of the files. */
  readonly files: Record<string, string>;
}

function customAuth({ function: name, app = '', files }: CustomAuthCase): MlflowAuth {
  const key = (each: string): SecretKey => SecretKey.fromSecretName('auth', each);
  return MlflowAuth.custom({
    login:
      name === undefined
        ? CustomLogin.app(app)
        : CustomLogin.authorizationFunction(name, {
            adminPassword: key('admin-password'),
            flaskSecretKey: key('flask-key'),
            defaultPermission: DefaultPermission.EDIT,
            grantDefaultWorkspaceAccess: true,
            workspaceCache: Duration.minutes(1),
            workspaceCacheSize: 100,
            readFromReplica: true,
          }),
    files: Object.fromEntries(
      Object.entries(files).map(([path, each]) => [path, FileSource.fromConfigMap('login', each)]),
    ),
    envVariables: { LDAP_URL: EnvValue.fromValue('ldaps://ldap.example.com') },
    secrets: { LOGIN: key('login') },
  });
}

/** The login that a case asks for. */
export function authOf({ basicAuth, oauth2Proxy, customAuth: custom }: AuthCase): MlflowAuth | undefined {
  const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);
  if (custom !== undefined) {
    return customAuth(custom);
  }
  if (basicAuth !== undefined) {
    return MlflowAuth.basic({ adminPassword: key('admin-password'), flaskSecretKey: key('flask-key'), ...basicAuth });
  }
  return (
    oauth2Proxy &&
    MlflowAuth.oauth2Proxy({
      ...oauth2Proxy,
      clientId: 'mlflow',
      clientSecret: key('client-secret'),
      cookieSecret: key('cookie-secret'),
      emailDomains: ['example.com'],
    })
  );
}
