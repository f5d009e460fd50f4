import type { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkSeconds, checkWhole } from '../../validation/checks';
import { text } from '../../kube/values/env-values';
import { mountConfigFiles } from '../../kube/pod/config-files';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';
import type { SecretKey } from '../../kube/values/secret-key';

import { addressFor } from '../../postgres/connection/other-namespace';
import type { AuthContext, AuthParts, AuthStrategy } from './auth-strategy';
import { checkUserDatabase, userDatabaseUri } from './user-database';

const CONFIG_FOLDER = '/etc/mlflow-auth';
const CONFIG_FILE = 'basic_auth.ini';
const DEFAULT_ADMINISTRATOR = 'admin';

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

  /**
   * Most passwords that a worker caches, with `passwordCache`.
   * @default 10000
   */
  readonly passwordCacheSize?: number;

  /**
   * Whether users have `defaultPermission` in the default workspace as well, and may create experiments and models there
   * from DefaultPermission.USE. It matters only with `workspaces`: without it, only administrators and users with a role can
   * then use the default workspace.
   * @default false
   */
  readonly grantDefaultWorkspaceAccess?: boolean;

  /**
   * How long a worker caches which workspace an experiment or a model belongs to.
   * @default Duration.hours(1)
   */
  readonly workspaceCache?: Duration;

  /**
   * Most experiments and models whose workspace a worker caches.
   * @default 10000
   */
  readonly workspaceCacheSize?: number;

  /**
   * Whether users and their permissions are read from the read replicas of the backend, with a pool of each worker. A
   * permission that was just granted, such as to the creator of an experiment, is refused until the replica has it.
   * @default false
   */
  readonly readFromReplica?: boolean;
}

/** MLflow's `basic-auth` app, whose users prove who they are by a password, or to a function in Python. */
export class BasicAuth implements AuthStrategy {
  public constructor(
    private readonly options: BasicAuthOptions,
    private readonly authorizationFunction?: string,
  ) {}

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
    checkWhole(problems, 'auth.passwordCacheSize', this.options.passwordCacheSize, { least: 1 });
    checkSeconds(problems, 'auth.workspaceCache', this.options.workspaceCache);
    checkWhole(problems, 'auth.workspaceCacheSize', this.options.workspaceCacheSize, { least: 1 });
    this.checkReplica(problems, context);
    this.checkFunction(problems);
  }

  public bind(scope: Construct, labels: ObjectLabels, context: AuthContext): AuthParts {
    const configuration = { MLFLOW_AUTH_CONFIG_PATH: text(`${CONFIG_FOLDER}/${CONFIG_FILE}`) };
    const administrator = { MLFLOW_AUTH_ADMIN_PASSWORD: this.options.adminPassword._value() };
    const { readHost, readRoute } = addressFor(scope, context.backend.connection);
    const files = mountConfigFiles(scope, 'auth', labels, {
      name: `${scope.node.id}-auth`,
      volumeName: 'auth',
      path: CONFIG_FOLDER,
      data: { [CONFIG_FILE]: iniOf(this.options, this.authorizationFunction, textOf(readHost)) },
    });
    const volumeMounts = [files];
    const { adminUsername: username = DEFAULT_ADMINISTRATOR, adminPassword: password } = this.options;
    return {
      // A function of the user's own knows passwords, not MLflow.
      ...(this.authorizationFunction === undefined && { administrator: { username, password } }),
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
        ...(this.options.readFromReplica === true && readRoute && { routes: [readRoute] }),
      },
      migration: { of: 'auth', envVariables: { ...configuration, ...administrator }, volumeMounts },
      engines: 1,
      guardsMetrics: true,
    };
  }

  private checkReplica(problems: Problems, context: AuthContext): void {
    if (this.options.readFromReplica === true && textOf(context.backend.connection.readHost) === undefined) {
      problems.say(
        `\`auth.readFromReplica\` needs read replicas whose host is known at synthesis, and "${context.backend.node.id}" has none.`,
        'Set the `readHost` of the backend as plain text.',
      );
    }
  }

  private checkFunction(problems: Problems): void {
    if (this.authorizationFunction === undefined) {
      return;
    }
    if (!/^[A-Za-z_][\w.]*:[A-Za-z_]\w*$/.test(this.authorizationFunction)) {
      problems.add('auth.login', 'must name an authorization function as module:function', this.authorizationFunction);
    }
    if (this.options.passwordCache !== undefined || this.options.passwordCacheSize !== undefined) {
      problems.say(
        '`auth.passwordCache` and `auth.passwordCacheSize` must be left out with an authorization function of your own: MLflow calls it at each request.',
        'Cache in the function.',
      );
    }
  }
}

/** Host of the read replicas. A configuration file cannot refer to a Secret or a ConfigMap. */
function textOf(readHost: kplus.EnvValue | undefined): string | undefined {
  const value: unknown = readHost?.value;
  return typeof value === 'string' ? value : undefined;
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
function iniOf(options: BasicAuthOptions, authorizationFunction?: string, readHost?: string): string {
  const settings = {
    default_permission: options.defaultPermission ?? DefaultPermission.READ,
    database_uri: userDatabaseUri(options.database),
    admin_username: options.adminUsername ?? DEFAULT_ADMINISTRATOR,
    // MLflow before 3.17 requires this entry. An empty one cannot become a password.
    admin_password: '',
    auth_cache_ttl_seconds: options.passwordCache?.toSeconds() ?? 0,
    auth_cache_max_size: options.passwordCacheSize,
    grant_default_workspace_access: options.grantDefaultWorkspaceAccess,
    workspace_cache_ttl_seconds: options.workspaceCache?.toSeconds(),
    workspace_cache_max_size: options.workspaceCacheSize,
    read_database_uri: options.readFromReplica === true ? userDatabaseUri(options.database, readHost) : undefined,
    authorization_function: authorizationFunction,
  };
  const lines = Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    // configparser reads %(name)s as a reference.
    .map(([name, value]) => `${name} = ${String(value).replace(/%/g, '%%')}`);
  return ['[mlflow]', ...lines.map((line) => line.trimEnd()), ''].join('\n');
}
