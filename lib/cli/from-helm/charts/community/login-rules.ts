import { call, map, mlflow, struct, value } from '../../../code/code';

import { basicAuthOptions, secretKey, setBasicAuth, setCustomApp, setOAuth2Proxy, setOidc } from '../../parts/login';
import { resourcesOf } from '../../parts/quantities';
import type { Rule } from '../../rule';

const LDAP =
  'Write a function that asks your LDAP server, in a ConfigMap, and use it with MlflowAuth.custom(): examples/ldap.ts and docs/logins.md. The groups and filters of the values go into its variables.';

/** Logins. */
export const LOGIN_RULES: readonly Rule[] = [
  {
    keys: '{flaskServerSecretKey,auth.{enabled,adminUsername,adminPassword,existingAdminSecret.{name,usernameKey,passwordKey},defaultPermission,appName,authorizationFunction,postgres.{enabled,host,port,database,user,password,existingSecret.{name,usernameKey,passwordKey}}}}',
    convert: (values, release) => {
      if (!values.flag('auth.enabled')) {
        return;
      }
      release.arguments.take('--app-name');
      const flask = release.environment.take('MLFLOW_FLASK_SERVER_SECRET_KEY');
      values.any('flaskServerSecretKey');
      const existing = values.text('auth.existingAdminSecret.name');
      const passwordKey = values.text('auth.existingAdminSecret.passwordKey') ?? 'password';
      const usernameKey = values.text('auth.existingAdminSecret.usernameKey');
      values.any('auth.adminPassword');
      const hasDatabase = values.flag('auth.postgres.enabled');
      const database = hasDatabase ? values.text('auth.postgres.database') : undefined;
      const hosts = [values.text('auth.postgres.host'), values.text('backendStore.postgres.host')];
      const isSame = hosts[0] === hosts[1];
      if (hasDatabase) {
        [
          'port',
          'user',
          'password',
          'existingSecret.name',
          'existingSecret.usernameKey',
          'existingSecret.passwordKey',
        ].forEach((key) => values.any(`auth.postgres.${key}`));
        release.note(
          isSame ? 'changed' : 'to do',
          'auth.postgres',
          `The users are in a database on the same PostgreSQL server, with the login of MLflow${isSame ? ': grant it the rights there' : `; those on ${hosts[0] ?? 'another server'} have to move, with pg_dump`}.`,
        );
      }
      const login = {
        keys: ['auth'],
        adminUsername: values.text('auth.adminUsername'),
        adminPassword: existing === undefined ? undefined : secretKey(existing, passwordKey),
        flaskKey: flask?.secret && secretKey(flask.secret.name, flask.secret.key),
        flaskFrom: { secret: `${release.names.server}-flask-server-secret-key`, key: 'MLFLOW_FLASK_SERVER_SECRET_KEY' },
        defaultPermission: values.text('auth.defaultPermission'),
        database,
      };
      const functionName = values.text('auth.authorizationFunction');
      const app = values.text('auth.appName') ?? 'basic-auth';
      if (existing !== undefined) {
        release.note(
          'to do',
          'auth.existingAdminSecret.usernameKey',
          `The administrator's name is no secret: set \`adminUsername\`, if it is not admin, to what ${existing} has below ${usernameKey ?? 'username'}.`,
        );
      }
      if (app !== 'basic-auth') {
        setCustomApp(release, app, ['auth.appName']);
      } else if (functionName !== undefined && functionName !== 'mlflow.server.auth:authenticate_request_basic_auth') {
        release.login = 'custom';
        const custom = call(
          mlflow('CustomLogin'),
          'authorizationFunction',
          value(functionName),
          basicAuthOptions(release, login),
        );
        release.set(
          'auth',
          call(mlflow('MlflowAuth'), 'custom', struct(mlflow('CustomAuthOptions'), { login: custom })),
        );
      } else {
        setBasicAuth(release, login);
      }
    },
  },
  {
    keys: 'auth.{sqliteFile,sqliteFullPath,configPath,configFile,postgres.driver}',
    leaveOut:
      'The app makes the ini file, and keeps users in PostgreSQL. Users in a SQLite file do not move by themselves: create them again.',
  },
  {
    keys: 'ldapAuth.{enabled,uri,lookupBind,groupAttribute,groupAttributeKey,searchBaseDistinguishedName,searchFilter,adminGroupDistinguishedName,userGroupDistinguishedName,tlsVerification,externalSecretForTrustedCACertificate}',
    convert: (values, release) => {
      if (!values.flag('ldapAuth.enabled')) {
        return;
      }
      const variables = {
        LDAP_URL: 'uri',
        LDAP_LOOKUP_BIND: 'lookupBind',
        LDAP_TLS_VERIFY: 'tlsVerification',
        LDAP_GROUP_ATTRIBUTE: 'groupAttribute',
        LDAP_GROUP_ATTRIBUTE_KEY: 'groupAttributeKey',
        LDAP_GROUP_SEARCH_BASE_DN: 'searchBaseDistinguishedName',
        LDAP_GROUP_SEARCH_FILTER: 'searchFilter',
        LDAP_GROUP_ADMIN_DN: 'adminGroupDistinguishedName',
        LDAP_GROUP_USER_DN: 'userGroupDistinguishedName',
      };
      const envVariables = Object.entries(variables).flatMap(([name, key]) => {
        const text = values.text(`ldapAuth.${key}`);
        return text === undefined
          ? []
          : [[name, call({ module: 'cdk8s-plus-28', name: 'EnvValue' }, 'fromValue', value(text))] as const];
      });
      const ca = values.text('ldapAuth.externalSecretForTrustedCACertificate');
      release.login = 'custom';
      const options = basicAuthOptions(release, { keys: ['ldapAuth'] });
      release.set(
        'auth',
        call(
          mlflow('MlflowAuth'),
          'custom',
          struct(mlflow('CustomAuthOptions'), {
            login: call(mlflow('CustomLogin'), 'authorizationFunction', value('ldap_auth:authenticate'), options),
            files: map({
              'ldap_auth.py': call(mlflow('FileSource'), 'fromConfigMap', value('ldap-auth'), value('ldap_auth.py')),
            }),
            envVariables: map(Object.fromEntries(envVariables)),
          }),
        ),
      );
      release.note('to do', 'ldapAuth', LDAP);
      if (ca !== undefined) {
        release.note(
          'to do',
          'ldapAuth.externalSecretForTrustedCACertificate',
          `The CA of the LDAP server, in the Secret ${ca}: \`ClusterSettings.of(server).apply({ trustedCa: FileSource.fromSecret('${ca}', key) })\`.`,
        );
      }
    },
  },
  {
    keys: 'ldapAuth.encodedTrustedCACertificate',
    doInstead: 'Put the CA into a ConfigMap, and give it as `trustedCa` of ClusterSettings.',
  },
  {
    keys: 'oauth2Proxy.{enabled,cookieSecret,createSecret,extraArgs,resources,existingSecret.{name,clientSecretKey,cookieSecretKey},provider.{issuerURL,clientID,clientSecret,redirectURL},image.{repository,tag}}',
    convert: (values, release) => {
      const at = (key: string): string => `oauth2Proxy.${key}`;
      if (!values.flag(at('enabled'))) {
        return;
      }
      const existing = values.text(at('existingSecret.name'));
      const key = (name: string, standard: string): string => values.text(at(`existingSecret.${name}`)) ?? standard;
      ['cookieSecret', 'createSecret', 'provider.clientSecret'].forEach((each) => values.any(at(each)));
      const repository = values.text(at('image.repository'));
      const tag = values.text(at('image.tag'));
      const from = { secret: `${release.names.server}-oauth2-proxy-secret`, key: '' };
      const extraArgs = values.any(at('extraArgs'));
      const args = Array.isArray(extraArgs)
        ? values.texts(at('extraArgs'))
        : Object.entries(values.textMap(at('extraArgs'))).map(([name, text]) => `--${name}=${text}`);
      setOAuth2Proxy(release, {
        keys: ['oauth2Proxy'],
        issuerUrl: values.text(at('provider.issuerURL')),
        clientId: values.text(at('provider.clientID')),
        redirectUrl: values.text(at('provider.redirectURL')),
        clientSecret: existing === undefined ? undefined : secretKey(existing, key('clientSecretKey', 'client-secret')),
        clientSecretFrom: { ...from, key: key('clientSecretKey', 'client-secret') },
        cookieSecret: existing === undefined ? undefined : secretKey(existing, key('cookieSecretKey', 'cookie-secret')),
        cookieFrom: { ...from, key: key('cookieSecretKey', 'cookie-secret') },
        extraArgs: args,
        image: repository === undefined || tag === undefined ? undefined : `${repository}:${tag}`,
        resources: resourcesOf(release, at('resources'), values.map(at('resources'))),
      });
    },
  },
  {
    keys: 'oauth2Proxy.{listenPort,image.pullPolicy,provider.name,existingSecret.clientIDKey}',
    leaveOut:
      'The proxy has the port of the pod and its pull policy, speaks OpenID Connect, and its client id is no secret.',
  },
  {
    keys: 'oauth2Proxy.extraEnv',
    doInstead: 'oauth2-proxy takes `extraArgs`; a CA comes with `trustedCa` of ClusterSettings.',
  },
  {
    keys: 'oidcAuth.{enabled,discoveryUrl,clientId,clientSecret,redirectUri,adminGroupName,groupName,scope,groupsAttribute,defaultPermission,existingSecret.{name,clientSecretKey},database.postgres.{enabled,host,port,database,user,password,existingSecret.{name,usernameKey,passwordKey}}}',
    convert: (values, release) => {
      const at = (key: string): string => `oidcAuth.${key}`;
      if (!values.flag(at('enabled'))) {
        return;
      }
      const existing = values.text(at('existingSecret.name'));
      const secretKeyName = values.text(at('existingSecret.clientSecretKey')) ?? 'client-secret';
      values.any(at('clientSecret'));
      // A list, or a text: names of groups may have spaces, scopes have not.
      const split = (key: string, by = /,/): string[] =>
        (Array.isArray(values.any(at(key))) ? values.texts(at(key)) : (values.text(at(key)) ?? '').split(by))
          .map((each) => each.trim())
          .filter((each) => each !== '');
      [
        'enabled',
        'host',
        'port',
        'user',
        'password',
        'existingSecret.name',
        'existingSecret.usernameKey',
        'existingSecret.passwordKey',
      ].forEach((each) => values.any(at(`database.postgres.${each}`)));
      setOidc(release, {
        keys: ['oidcAuth'],
        issuerUrl: values.text(at('discoveryUrl')),
        clientId: values.text(at('clientId')),
        clientSecret: existing === undefined ? undefined : secretKey(existing, secretKeyName),
        redirectUrl: values.text(at('redirectUri')),
        adminGroups: split('adminGroupName'),
        allowedGroups: split('groupName'),
        scopes: split('scope', /[,\s]+/),
        groupsClaim: values.text(at('groupsAttribute')),
        defaultPermission: values.text(at('defaultPermission')),
        database: values.text(at('database.postgres.database')),
      });
    },
  },
  {
    keys: 'oidcAuth.database.uri',
    doInstead:
      "`database` of MlflowAuth.oidc() is another database on the backend's server; users elsewhere have to move there.",
  },
  { keys: 'oidcAuth.database.postgres.driver', leaveOut: 'psycopg2, as everywhere.' },
  {
    keys: 'oidcAuth.{audience,providerDisplayName,trustedProxies}',
    doInstead:
      'Variables of the plugin, in `extraEnvVars`: OIDC_AUDIENCE, OIDC_PROVIDER_DISPLAY_NAME, TRUSTED_PROXIES.',
  },
  {
    keys: 'oidcAuth.{sessionCookieSecure,sessionCookieSamesite}',
    doInstead:
      '`cookie: { secure, sameSite }` of MlflowAuth.oidc(): by default it is secure where the redirect URL has https, and lax.',
  },
  {
    keys: 'oidcAuth.cache.{enabled,redisUrl,keyPrefix}',
    doInstead: '`redisCache: { url: SecretKey.fromSecretName(name, key) }` of MlflowAuth.oidc().',
  },
];
