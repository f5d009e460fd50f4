import { call, type Code, member, mlflow, struct, texts, value } from '../../code/code';

import type { NeededKey, Release } from '../release';

const PERMISSIONS = ['NO_PERMISSIONS', 'READ', 'USE', 'EDIT', 'MANAGE'];

/** A key of a Secret, as the library takes it. */
export function secretKey(secretName: string, key: string): Code {
  return call(mlflow('SecretKey'), 'fromSecretName', value(secretName), value(key));
}

/** The Secret of the app for its login. */
export function loginSecret(release: Release, ...keys: NeededKey[]): string {
  return release.need({ name: `${release.names.server}-login`, keys });
}

/** Basic auth of a chart. */
export interface BasicLogin {
  readonly keys: readonly string[];
  readonly adminUsername?: string;
  /** The administrator's password, in a Secret that exists. */
  readonly adminPassword?: Code;
  readonly passwordFrom?: NeededKey['from'];
  readonly flaskKey?: Code;
  readonly flaskFrom?: NeededKey['from'];
  readonly defaultPermission?: string;
  /** Database of the users, if it is not MLflow's. */
  readonly database?: string;
}

/** The options of basic auth, with the keys that it needs in a Secret of the app. */
export function basicAuthOptions(release: Release, login: BasicLogin): Code {
  const { adminUsername, defaultPermission } = login;
  const name = `${release.names.server}-login`;
  if (login.adminPassword === undefined) {
    loginSecret(release, {
      key: 'admin-password',
      value: 'the password of the administrator, 12 characters or more',
      from: login.passwordFrom,
    });
  }
  if (login.flaskKey === undefined) {
    loginSecret(release, { key: 'flask-key', value: 'any long random text', from: login.flaskFrom });
  }
  setPassphrase(release);
  const permission = defaultPermission?.toUpperCase();
  return struct(mlflow('BasicAuthOptions'), {
    adminUsername: adminUsername === undefined || adminUsername === 'admin' ? undefined : value(adminUsername),
    adminPassword: login.adminPassword ?? secretKey(name, 'admin-password'),
    flaskSecretKey: login.flaskKey ?? secretKey(name, 'flask-key'),
    defaultPermission:
      permission === undefined || permission === 'READ' || !PERMISSIONS.includes(permission)
        ? undefined
        : member(mlflow('DefaultPermission'), permission),
    database: login.database === undefined ? undefined : value(login.database),
  });
}

/** Sets basic auth. */
export function setBasicAuth(release: Release, login: BasicLogin): void {
  release.login = 'basic';
  release.set('auth', call(mlflow('MlflowAuth'), 'basic', basicAuthOptions(release, login)));
  release.note(
    'changed',
    login.keys,
    "Users are in PostgreSQL, so that all replicas and restarts know them, and their tables are made and upgraded under the same lock as MLflow's.",
  );
}

/** Sets an app of MLflow's entry points. */
export function setCustomApp(release: Release, app: string, keys: readonly string[]): void {
  const login = call(mlflow('CustomLogin'), 'app', value(app));
  release.login = 'custom';
  release.set('auth', call(mlflow('MlflowAuth'), 'custom', struct(mlflow('CustomAuthOptions'), { login })));
  setPassphrase(release);
  release.note(
    'to do',
    keys,
    `The image must contain the package with the app ${app}; its variables belong into \`envVariables\` and \`secrets\` of MlflowAuth.custom().`,
  );
}

/** MLflow needs a passphrase of its own where users log in. */
export function setPassphrase(release: Release): void {
  const name = loginSecret(release, { key: 'passphrase', value: 'any random text of 32 characters or more' });
  const options = struct(mlflow('EncryptionOptions'), { passphrase: secretKey(name, 'passphrase') });
  release.set('encryption', options);
}

/** A client at an identity provider. */
export interface SsoLogin {
  readonly keys: readonly string[];
  readonly issuerUrl?: string;
  readonly clientId?: string;
  readonly clientSecret?: Code;
  readonly clientSecretFrom?: NeededKey['from'];
  readonly redirectUrl?: string;
}

/** Sets a proxy with single sign-on. */
export function setOAuth2Proxy(
  release: Release,
  login: SsoLogin & {
    readonly cookieSecret?: Code;
    readonly cookieFrom?: NeededKey['from'];
    readonly extraArgs: readonly string[];
    readonly image?: string;
    readonly resources?: Code;
  },
): void {
  const name = `${release.names.server}-login`;
  if (login.cookieSecret === undefined) {
    loginSecret(release, { key: 'cookie-secret', value: '16, 24 or 32 random bytes', from: login.cookieFrom });
  }
  const { domains, groups, others } = proxyArguments(login.extraArgs);
  release.login = 'proxy';
  release.set(
    'auth',
    call(
      mlflow('MlflowAuth'),
      'oauth2Proxy',
      struct(mlflow('OAuth2ProxyOptions'), {
        ...clientFields(release, login),
        cookieSecret: login.cookieSecret ?? secretKey(name, 'cookie-secret'),
        emailDomains: texts(domains.length === 0 ? ['*'] : domains),
        allowedGroups: groups.length === 0 ? undefined : texts(groups),
        extraArgs: others.length === 0 ? undefined : texts(others),
        image: login.image === undefined ? undefined : value(login.image),
        resources: login.resources,
      }),
    ),
  );
  setPassphrase(release);
  release.note(
    'changed',
    login.keys,
    "MLflow listens on the loopback address only, behind the proxy, which has the pod's port: nobody gets around it.",
  );
  if (domains.length === 0) {
    release.note(
      'to do',
      login.keys,
      "`emailDomains: ['*']` admits every user of the provider: name your domains, or `allowedGroups`.",
    );
  }
}

/** Sets the plugin mlflow-oidc-auth. */
export function setOidc(
  release: Release,
  login: SsoLogin & {
    readonly database?: string;
    readonly adminGroups: readonly string[];
    readonly allowedGroups: readonly string[];
    readonly defaultPermission?: string;
    readonly scopes: readonly string[];
    readonly groupsClaim?: string;
  },
): void {
  const name = loginSecret(release, { key: 'session-key', value: 'any long random text' });
  const permission = login.defaultPermission?.toUpperCase() ?? '';
  release.login = 'oidc';
  release.set(
    'auth',
    call(
      mlflow('MlflowAuth'),
      'oidc',
      struct(mlflow('OidcAuthOptions'), {
        ...clientFields(release, login),
        sessionSecretKey: secretKey(name, 'session-key'),
        database: value(login.database ?? 'mlflow_oidc'),
        adminGroups: login.adminGroups.length === 0 ? undefined : texts(login.adminGroups),
        allowedGroups: login.allowedGroups.length === 0 ? undefined : texts(login.allowedGroups),
        defaultPermission: PERMISSIONS.includes(permission)
          ? member(mlflow('DefaultPermission'), permission)
          : undefined,
        scopes: login.scopes.length === 0 ? undefined : texts(login.scopes),
        groupsClaim: login.groupsClaim === undefined ? undefined : value(login.groupsClaim),
      }),
    ),
  );
  setPassphrase(release);
  release.note(
    'to do',
    login.keys,
    `The image must contain mlflow-oidc-auth, which MLflow's own does not: set \`image\`. Its database (${login.database ?? 'mlflow_oidc'}) must exist on the same PostgreSQL server, with the same login.`,
  );
}

function clientFields(release: Release, login: SsoLogin): Record<string, Code | undefined> {
  if (login.clientSecret === undefined) {
    loginSecret(release, { key: 'client-secret', value: 'the secret of the client', from: login.clientSecretFrom });
  }
  if (login.issuerUrl === undefined || login.clientId === undefined) {
    release.note('to do', login.keys, 'Put the issuer and the client id of your identity provider into the app.');
  }
  return {
    issuerUrl: value(login.issuerUrl?.replace(/\/?\.well-known\/.*$/, '') ?? 'https://issuer.example.com'),
    clientId: value(login.clientId ?? 'mlflow'),
    clientSecret: login.clientSecret ?? secretKey(`${release.names.server}-login`, 'client-secret'),
    redirectUrl: login.redirectUrl === undefined ? undefined : value(login.redirectUrl),
  };
}

/** The arguments of the proxy that have props. */
function proxyArguments(args: readonly string[]): { domains: string[]; groups: string[]; others: string[] } {
  const found = { domains: [] as string[], groups: [] as string[], others: [] as string[] };
  for (const arg of args) {
    const [name = '', ...rest] = arg.split('=');
    const text = rest.join('=');
    if (name === '--email-domain') {
      found.domains.push(text);
    } else if (name === '--allowed-group') {
      found.groups.push(text);
    } else if (!OWN_ARGUMENTS.has(name)) {
      found.others.push(arg);
    }
  }
  return found;
}

/** Arguments that the library sets. */
const OWN_ARGUMENTS = new Set(
  [
    'http-address',
    'upstream',
    'provider',
    'oidc-issuer-url',
    'client-id',
    'client-secret',
    'cookie-secret',
    'redirect-url',
    'proxy-prefix',
    'reverse-proxy',
    'cookie-secure',
    'upstream-timeout',
    'skip-provider-button',
  ].map((name) => `--${name}`),
);
