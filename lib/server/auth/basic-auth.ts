import type { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
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

/** What a user may do with an experiment or a model that nobody has given them a permission on. */
export enum DefaultPermission {
  /** Nothing, not even see it. */
  NO_PERMISSIONS = 'NO_PERMISSIONS',
  /** See it. */
  READ = 'READ',
  /** See it, and call endpoints of the gateway. */
  USE = 'USE',
  /** See and change it. */
  EDIT = 'EDIT',
  /** See, change and delete it, and give others permissions on it. */
  MANAGE = 'MANAGE',
}

/** Options of {@link MlflowAuth.basic}. */
export interface BasicAuthOptions {
  /**
   * The password of the first administrator: 12 characters or more, in ASCII, since MLflow reads nothing else when artifacts
   * are up- or downloaded. It counts while there is no such user, so one who was deleted comes back with it at the next
   * start; it replaces the password that older versions of MLflow came with; any other is changed through MLflow.
   */
  readonly adminPassword: SecretKey;

  /**
   * The name of the first administrator.
   * @default 'admin'
   */
  readonly adminUsername?: string;

  /** The key that signs the forms of the web UI. Any long random text; all replicas share it. */
  readonly flaskSecretKey: SecretKey;

  /**
   * What users may do with what nobody has given them a permission on.
   * @default DefaultPermission.READ
   */
  readonly defaultPermission?: DefaultPermission;

  /**
   * Name of a database of its own for the users, on the same PostgreSQL server and with the same login. It has to exist.
   * @default - the database of the backend
   */
  readonly database?: string;

  /**
   * How long a worker remembers a password that was right, instead of computing its slow hash at each request. For as long, a
   * worker may go on taking a password that was changed. MLflow 3.13 or later.
   * @default - not at all
   */
  readonly passwordCache?: Duration;
}

/** MLflow's own users and permissions. */
export class BasicAuth implements AuthStrategy {
  public constructor(private readonly options: BasicAuthOptions) {}

  public check(problems: Problems, context: AuthContext): void {
    const { adminPassword, adminUsername, flaskSecretKey, database, passwordCache } = this.options;
    adminPassword._check(problems, 'auth.adminPassword');
    flaskSecretKey._check(problems, 'auth.flaskSecretKey');
    if (adminUsername !== undefined && !/^[!-9;-~]+$/.test(adminUsername)) {
      problems.add(
        'auth.adminUsername',
        'must be ASCII letters, digits and signs, without spaces and colons',
        adminUsername,
        'HTTP ends a user name at its first colon.',
      );
    }
    checkUserDatabase(problems, database, context);
    checkPrefix(problems, context);
    checkSeconds(problems, 'auth.passwordCache', passwordCache, 'Leave it out to remember none.');
  }

  public bind(scope: Construct, labels: ObjectLabels, context: AuthContext): AuthParts {
    const configuration = { MLFLOW_AUTH_CONFIG_PATH: text(`${CONFIG_FOLDER}/${CONFIG_FILE}`) };
    const administrator = { MLFLOW_AUTH_ADMIN_PASSWORD: this.options.adminPassword._value() };
    const volumeMounts = [this.configuration(scope, labels)];
    return {
      arguments: ['--app-name=basic-auth'],
      server: {
        of: 'auth',
        envVariables: {
          ...configuration,
          MLFLOW_FLASK_SERVER_SECRET_KEY: this.options.flaskSecretKey._value(),
          // A server makes the first administrator itself where nobody has done it for this pod.
          ...(!context.isPreparedByPods && administrator),
        },
        volumeMounts,
      },
      migration: { of: 'auth', envVariables: { ...configuration, ...administrator }, volumeMounts },
      engines: 1,
      guardsMetrics: true,
    };
  }

  private configuration(scope: Construct, labels: ObjectLabels): kplus.VolumeMount {
    return mountConfigFiles(scope, 'auth', labels, {
      name: `${scope.node.id}-auth`,
      volumeName: 'auth',
      path: CONFIG_FOLDER,
      data: { [CONFIG_FILE]: iniOf(this.options) },
    });
  }
}

// MLflow compares the beginning of the whole path, so that such a prefix would open everything (is_unprotected_route).
function checkPrefix(problems: Problems, { staticPrefix }: AuthContext): void {
  if (/^\/(static|health|favicon\.ico)/.test(staticPrefix)) {
    problems.add(
      'staticPrefix',
      'must not begin with /static, /health or /favicon.ico with MlflowAuth.basic()',
      staticPrefix,
      'MLflow asks for no login there.',
    );
  }
}

/** The configuration of `basic-auth`: nothing in it is secret (mlflow.server.auth.config). */
function iniOf(options: BasicAuthOptions): string {
  const settings = {
    default_permission: options.defaultPermission ?? DefaultPermission.READ,
    database_uri: userDatabaseUri(options.database),
    admin_username: options.adminUsername ?? 'admin',
    // MLflow before 3.17 stops without this entry. Empty, it cannot become anybody's password.
    admin_password: '',
    auth_cache_ttl_seconds: options.passwordCache?.toSeconds() ?? 0,
  };
  // configparser reads %(name)s as a reference.
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${String(value).replace(/%/g, '%%')}`);
  return ['[mlflow]', ...lines.map((line) => line.trimEnd()), ''].join('\n');
}
