import type { Construct } from 'constructs';

import { texts } from '../../kube/values/env-values';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';
import type { SecretKey } from '../../kube/values/secret-key';

import type { AuthContext, AuthParts, AuthStrategy } from './auth-strategy';
import type { DefaultPermission } from './basic-auth';
import { callbackUrl, checkIssuer, checkUrl, routeToIssuer } from './single-sign-on';
import { checkUserDatabase, userDatabaseUri } from './user-database';

/** Options of {@link MlflowAuth.oidc}. */
export interface OidcAuthOptions {
  /** The identity provider: the URL below which `/.well-known/openid-configuration` is. */
  readonly issuerUrl: string;

  /** The client that MLflow is there. */
  readonly clientId: string;

  /** Its secret. */
  readonly clientSecret: SecretKey;

  /** The key that signs sessions. Any long random text; all replicas share it. */
  readonly sessionSecretKey: SecretKey;

  /**
   * Name of the database for users and permissions, on the PostgreSQL server of the backend and with its login. It has to
   * exist. It cannot be the backend's own: both keep their revision in a table `alembic_version`.
   */
  readonly database: string;

  /**
   * Groups whose members may log in.
   * @default ['mlflow']
   */
  readonly allowedGroups?: string[];

  /**
   * Groups whose members are administrators.
   * @default ['mlflow-admin']
   */
  readonly adminGroups?: string[];

  /**
   * What users may do with what nobody has given them a permission on.
   * @default DefaultPermission.NO_PERMISSIONS - the plugin's own
   */
  readonly defaultPermission?: DefaultPermission;

  /**
   * Where the provider sends people back to: `https://host/callback`, as it is registered there.
   * @default - from `ingress` or `httpRoute`, where there is one host; otherwise from each request
   */
  readonly redirectUrl?: string;
}

/** The plugin `mlflow-oidc-auth` (mlflow_oidc_auth.config). */
export class OidcAuth implements AuthStrategy {
  public constructor(private readonly options: OidcAuthOptions) {}

  public check(problems: Problems, context: AuthContext): void {
    const { issuerUrl, clientSecret, sessionSecretKey, database, redirectUrl } = this.options;
    checkIssuer(problems, issuerUrl);
    clientSecret._check(problems, 'auth.clientSecret');
    sessionSecretKey._check(problems, 'auth.sessionSecretKey');
    checkUrl(problems, 'auth.redirectUrl', redirectUrl);
    checkUserDatabase(problems, database, context);
    checkPaths(problems, context);
  }

  public bind(_scope: Construct, _labels: ObjectLabels, context: AuthContext): AuthParts {
    const { issuerUrl, clientId, clientSecret, sessionSecretKey, database, defaultPermission } = this.options;
    const { allowedGroups, adminGroups } = this.options;
    const redirectUrl = this.options.redirectUrl ?? callbackUrl(context.endpoints, '/callback');
    const { poolSize, maxOverflow, recycle } = context.pooling;
    const users = texts({ OIDC_USERS_DB_URI: userDatabaseUri(database) });
    return {
      arguments: ['--app-name=oidc-auth'],
      server: {
        of: 'auth',
        envVariables: {
          ...users,
          ...texts({
            OIDC_DISCOVERY_URL: `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`,
            OIDC_CLIENT_ID: clientId,
            ...(redirectUrl !== undefined && {
              OIDC_REDIRECT_URI: redirectUrl,
              SESSION_COOKIE_SECURE: redirectUrl.startsWith('https:'),
            }),
            ...(allowedGroups !== undefined && { OIDC_GROUP_NAME: allowedGroups.join(',') }),
            ...(adminGroups !== undefined && { OIDC_ADMIN_GROUP_NAME: adminGroups.join(',') }),
            ...(defaultPermission !== undefined && { DEFAULT_MLFLOW_PERMISSION: defaultPermission }),
            // Its pool takes no notice of MLflow's settings.
            ...(poolSize !== undefined && { OIDC_DB_POOL_SIZE: poolSize }),
            ...(maxOverflow !== undefined && { OIDC_DB_POOL_MAX_OVERFLOW: maxOverflow }),
            ...(recycle !== undefined && { OIDC_DB_POOL_RECYCLE_SECONDS: recycle.toSeconds() }),
          }),
          OIDC_CLIENT_SECRET: clientSecret._value(),
          SECRET_KEY: sessionSecretKey._value(),
        },
        routes: [routeToIssuer(issuerUrl)],
      },
      migration: { of: 'auth', envVariables: users },
      engines: 1,
      guardsMetrics: false,
    };
  }
}

function checkPaths(problems: Problems, { paths }: AuthContext): void {
  for (const [prop, path] of Object.entries(paths)) {
    if (path !== '/') {
      problems.add(
        prop,
        'must be / with MlflowAuth.oidc()',
        path,
        'The pages of the plugin are not below `staticPrefix`.',
      );
    }
  }
}
