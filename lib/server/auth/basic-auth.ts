import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import { checkSeconds } from '../../validation/checks';
import { text } from '../../kube/values/env-values';
import { mountConfigFiles } from '../../kube/pod/config-files';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';
import type { SecretKey } from '../../kube/values/secret-key';

import type { AuthContext, AuthParts, AuthStrategy } from './auth-strategy';
import { checkUserDatabase, userDatabaseUri } from './user-database';

const CONFIG_FOLDER = '/etc/mlflow-auth';
const CONFIG_FILE = 'basic_auth.ini';

/** Permission of users on experiments and models for which they have no explicit one. */
export enum DefaultPermission {
  /** No access. */
  NO_PERMISSIONS = 'NO_PERMISSIONS',
  /** Read. */
  READ = 'READ',
  /** Read, and call endpoints of the gateway. */
  USE = 'USE',
  /** Read and change. */
  EDIT = 'EDIT',
  /** Read, change, delete, and grant permissions to others. */
  MANAGE = 'MANAGE',
}

/** Options of {@link MlflowAuth.basic}. */
export interface BasicAuthOptions {
  /**
   * Password of the first administrator: 12 or more characters, ASCII only, since MLflow decodes nothing else for artifact
   * uploads and downloads. It is used if the user does not exist (a deleted one is created again at the next start), and
   * replaces the default password of older MLflow versions. Change any other password through MLflow.
   */
  readonly adminPassword: SecretKey;

  /**
   * Name of the first administrator.
   * @default 'admin'
   */
  readonly adminUsername?: string;

  /** Key that signs the forms of the web UI: any long random text. All replicas share it. */
  readonly flaskSecretKey: SecretKey;

  /**
   * Permission of users where they have no explicit one.
   * @default DefaultPermission.READ
   */
  readonly defaultPermission?: DefaultPermission;

  /**
   * Name of a separate, existing database for the users, on the same PostgreSQL server and with the same login.
   * @default - the database of the backend
   */
  readonly database?: string;

  /**
   * How long a worker caches a verified password instead of computing its slow hash for each request. A changed password may
   * remain valid for as long. MLflow 3.13 or later.
   * @default - no cache
   */
  readonly passwordCache?: Duration;
}

/** MLflow's `basic-auth` app. */
export class BasicAuth implements AuthStrategy {
  public constructor(private readonly options: BasicAuthOptions) {}

  public check(problems: Problems, context: AuthContext): void {
    const { adminPassword, adminUsername, flaskSecretKey, database, passwordCache } = this.options;
    adminPassword._check(problems, 'auth.adminPassword');
    flaskSecretKey._check(problems, 'auth.flaskSecretKey');
    if (adminUsername !== undefined && !/^[!-9;-~]+$/.test(adminUsername)) {
      problems.add(
        'auth.adminUsername',
        'must be printable ASCII without spaces and colons',
        adminUsername,
        'HTTP ends a user name at its first colon.',
      );
    }
    checkUserDatabase(problems, database, context);
    checkPrefix(problems, context);
    checkSeconds(problems, 'auth.passwordCache', passwordCache, 'Leave it out for no cache.');
  }

  public bind(scope: Construct, labels: ObjectLabels, context: AuthContext): AuthParts {
    const configuration = { MLFLOW_AUTH_CONFIG_PATH: text(`${CONFIG_FOLDER}/${CONFIG_FILE}`) };
    const administrator = { MLFLOW_AUTH_ADMIN_PASSWORD: this.options.adminPassword._value() };
    const files = mountConfigFiles(scope, 'auth', labels, {
      name: `${scope.node.id}-auth`,
      volumeName: 'auth',
      path: CONFIG_FOLDER,
      data: { [CONFIG_FILE]: iniOf(this.options) },
    });
    const volumeMounts = [files];
    return {
      arguments: ['--app-name=basic-auth'],
      server: {
        of: 'auth',
        envVariables: {
          ...configuration,
          MLFLOW_FLASK_SERVER_SECRET_KEY: this.options.flaskSecretKey._value(),
          // The server creates the first administrator itself where its pod has no `init-mlflow` that migrates.
          ...(!context.isPreparedByPods && administrator),
        },
        volumeMounts,
      },
      migration: { of: 'auth', envVariables: { ...configuration, ...administrator }, volumeMounts },
      engines: 1,
      guardsMetrics: true,
    };
  }
}

// MLflow compares the start of the whole path, so such a prefix would make all paths public (is_unprotected_route).
function checkPrefix(problems: Problems, { staticPrefix }: AuthContext): void {
  if (/^\/(static|health|favicon\.ico)/.test(staticPrefix)) {
    problems.add(
      'staticPrefix',
      'must not begin with /static, /health or /favicon.ico with MlflowAuth.basic()',
      staticPrefix,
      'MLflow requires no login there.',
    );
  }
}

/** The configuration file of `basic-auth` (mlflow.server.auth.config). It contains no secret. */
function iniOf(options: BasicAuthOptions): string {
  const settings = {
    default_permission: options.defaultPermission ?? DefaultPermission.READ,
    database_uri: userDatabaseUri(options.database),
    admin_username: options.adminUsername ?? 'admin',
    // MLflow before 3.17 requires this entry. An empty one cannot become a password.
    admin_password: '',
    auth_cache_ttl_seconds: options.passwordCache?.toSeconds() ?? 0,
  };
  // configparser reads %(name)s as a reference.
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${String(value).replace(/%/g, '%%')}`);
  return ['[mlflow]', ...lines.map((line) => line.trimEnd()), ''].join('\n');
}
