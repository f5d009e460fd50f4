import type { AuthStrategy } from './auth-strategy';
import { BasicAuth, type BasicAuthOptions } from './basic-auth';
import { CustomAuth, type CustomAuthOptions } from './custom-auth';
import { OAuth2Proxy } from './oauth2-proxy';
import type { OAuth2ProxyOptions } from './oauth2-proxy-options';
import { OidcAuth, type OidcAuthOptions } from './oidc-auth';

/**
 * How users log in to the server, and which permissions they get.
 *
 * @see https://mlflow.org/docs/latest/self-hosting/security/
 */
export class MlflowAuth {
  /**
   * User names and passwords, with permissions on each experiment and model: MLflow's `basic-auth`. The users are stored in
   * PostgreSQL. Choose it where there is no identity provider.
   * @see https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/
   */
  public static basic(options: BasicAuthOptions): MlflowAuth {
    return new MlflowAuth(new BasicAuth(options));
  }

  /**
   * Single sign-on through a proxy in each pod; MLflow itself listens on the loopback address only. Every user who logs in
   * may do everything. Choose it where there is an identity provider and all users trust each other.
   * @see https://oauth2-proxy.github.io/oauth2-proxy/
   */
  public static oauth2Proxy(options: OAuth2ProxyOptions): MlflowAuth {
    return new MlflowAuth(new OAuth2Proxy(options));
  }

  /**
   * Single sign-on and permissions with the plugin `mlflow-oidc-auth`, which the image must contain: the official one does
   * not. Version 11.0.2 needs Python 3.12. Choose it where there is an identity provider and teams need separate permissions.
   * @see https://github.com/mlflow-oidc/mlflow-oidc-auth
   */
  public static oidc(options: OidcAuthOptions): MlflowAuth {
    return new MlflowAuth(new OidcAuth(options));
  }

  /**
   * A login of your own: a function in Python that knows the users, or a whole app. Choose it for users of LDAP, and where a
   * company has a plugin of its own.
   * @see https://mlflow.org/docs/latest/self-hosting/security/custom/
   */
  public static custom(options: CustomAuthOptions): MlflowAuth {
    return new MlflowAuth(new CustomAuth(options));
  }

  private constructor(
    /** @internal */
    public readonly _strategy: AuthStrategy,
  ) {}
}
