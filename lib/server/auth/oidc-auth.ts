import type { Construct } from 'constructs';

import { texts } from '../../kube/values/env-values';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';
import type { SecretKey } from '../../kube/values/secret-key';
import { checkRedis, type RedisOptions, routesToRedis } from '../settings/redis-options';

import type { AuthContext, AuthParts, AuthStrategy } from './auth-strategy';
import type { DefaultPermission } from './basic-auth';
import { callbackUrl, checkClient, type OidcClientOptions, routeToIssuer } from './single-sign-on';
import { checkUserDatabase, userDatabaseUri } from './user-database';

/** Options of {@link MlflowAuth.oidc}. */
export interface OidcAuthOptions extends OidcClientOptions {
  /** Key that signs sessions: any long random text. All replicas share it. */
  readonly sessionSecretKey: SecretKey;

  /**
   * Name of an existing database for users and permissions, on the same PostgreSQL server and with the same login. It must
   * not be the backend's: both store their revision in a table `alembic_version`.
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
   * Permission of users where they have no explicit one.
   * @default DefaultPermission.NO_PERMISSIONS - the plugin's own
   */
  readonly defaultPermission?: DefaultPermission;

  /**
   * Redis in which all workers of all replicas cache permissions, so that a change counts everywhere at once. The image must
   * contain the Python package `redis`. Whoever can write there can run code in the server: the plugin stores pickles.
   * @default - each worker caches permissions for 30 seconds; logins and sessions are in `database` in either case
   */
  readonly redisCache?: RedisOptions;
}

/** The plugin `mlflow-oidc-auth` (mlflow_oidc_auth.config). */
export class OidcAuth implements AuthStrategy {
  public constructor(private readonly options: OidcAuthOptions) {}

  public check(problems: Problems, context: AuthContext): void {
    const { sessionSecretKey, database } = this.options;
    checkClient(problems, this.options);
    sessionSecretKey._check(problems, 'auth.sessionSecretKey');
    checkUserDatabase(problems, database, context);
    checkRedis(problems, 'auth.redisCache', this.options.redisCache);
    if (context.backend.connection.database.value === database) {
      problems.add(
        'auth.database',
        `must not be the database of "${context.backend.node.id}": both store their revision in a table \`alembic_version\``,
        database,
        'Give another existing database on the same PostgreSQL server.',
      );
    }
    for (const [prop, path] of Object.entries(context.paths)) {
      if (path !== '/') {
        const hint = 'The pages of the plugin are at the root, not below `staticPrefix`.';
        problems.add(prop, 'must be / with MlflowAuth.oidc()', path, hint);
      }
    }
  }

  public bind(_scope: Construct, _labels: ObjectLabels, context: AuthContext): AuthParts {
    const { issuerUrl, clientId, clientSecret, sessionSecretKey, database, defaultPermission } = this.options;
    const { allowedGroups, adminGroups, scopes, groupsClaim, cookie, redisCache } = this.options;
    const redirectUrl = this.options.redirectUrl ?? callbackUrl(context.endpoints, '/callback');
    const { poolSize, maxOverflow, recycle } = context.pooling;
    const users = texts({ OIDC_USERS_DB_URI: userDatabaseUri(database) });
    return {
      arguments: ['--app-name=oidc-auth'],
      replacesApp: true,
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
            ...(scopes !== undefined && { OIDC_SCOPE: scopes.join(' ') }),
            ...(groupsClaim !== undefined && { OIDC_GROUPS_ATTRIBUTE: groupsClaim }),
            ...(cookie?.name !== undefined && { SESSION_COOKIE_NAME: cookie.name }),
            ...(cookie?.secure !== undefined && { SESSION_COOKIE_SECURE: cookie.secure }),
            ...(cookie?.sameSite !== undefined && { SESSION_COOKIE_SAMESITE: cookie.sameSite }),
            ...(cookie?.lifetime !== undefined && { SESSION_COOKIE_MAX_AGE_SECONDS: cookie.lifetime.toSeconds() }),
            ...(redisCache !== undefined && { CACHE_BACKEND: 'redis' }),
            ...(allowedGroups !== undefined && { OIDC_GROUP_NAME: allowedGroups.join(',') }),
            ...(adminGroups !== undefined && { OIDC_ADMIN_GROUP_NAME: adminGroups.join(',') }),
            ...(defaultPermission !== undefined && { DEFAULT_MLFLOW_PERMISSION: defaultPermission }),
            // The plugin's pool ignores MLflow's settings.
            ...(poolSize !== undefined && { OIDC_DB_POOL_SIZE: poolSize }),
            ...(maxOverflow !== undefined && { OIDC_DB_POOL_MAX_OVERFLOW: maxOverflow }),
            ...(recycle !== undefined && { OIDC_DB_POOL_RECYCLE_SECONDS: recycle.toSeconds() }),
          }),
          OIDC_CLIENT_SECRET: clientSecret._value(),
          SECRET_KEY: sessionSecretKey._value(),
          ...(redisCache && { CACHE_REDIS_URL: redisCache.url._value() }),
        },
        routes: [routeToIssuer(issuerUrl), ...routesToRedis(redisCache)],
      },
      migration: { of: 'auth', envVariables: users },
      engines: 1,
      guardsMetrics: false,
    };
  }
}
