import type { AuthStrategy } from './auth-strategy';
import { BasicAuth, type BasicAuthOptions } from './basic-auth';
import { OAuth2Proxy } from './oauth2-proxy';
import type { OAuth2ProxyOptions } from './oauth2-proxy-options';
import { OidcAuth, type OidcAuthOptions } from './oidc-auth';

/**
 * Who may use the server, and how they prove it.
 *
 * @see https://mlflow.org/docs/latest/self-hosting/security/
 */
export class MlflowAuth {
  /**
   * User names and passwords, with permissions on each experiment and model: MLflow's own `basic-auth`. The users are in
   * PostgreSQL. Choose it where there is no identity provider.
   * @see https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/
   */
  public static basic(options: BasicAuthOptions): MlflowAuth {
    return new MlflowAuth(new BasicAuth(options));
  }

  /**
   * Single sign-on at a proxy in each pod, in front of MLflow, which itself only listens on the loopback address. Whoever
   * gets through may do everything. Choose it where there is an identity provider and people trust each other.
   * @see https://oauth2-proxy.github.io/oauth2-proxy/
   */
  public static oauth2Proxy(options: OAuth2ProxyOptions): MlflowAuth {
    return new MlflowAuth(new OAuth2Proxy(options));
  }

  /**
   * Single sign-on and permissions, by the plugin `mlflow-oidc-auth`, which has to be in the image: the official one lacks
   * it. Version 11.0.2 needs Python 3.12. Choose it where there is an identity provider and teams keep things from each other.
   * @see https://github.com/mlflow-oidc/mlflow-oidc-auth
   */
  public static oidc(options: OidcAuthOptions): MlflowAuth {
    return new MlflowAuth(new OidcAuth(options));
  }

  private constructor(
    /** @internal */
    public readonly _strategy: AuthStrategy,
  ) {}
}
