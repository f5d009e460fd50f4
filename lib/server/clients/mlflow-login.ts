import { SecretKey } from '../../kube/values/secret-key';
import type { SecretKeysOptions } from '../../postgres/connection/postgres-credentials';
import type { Problems } from '../../validation/problems';

/** How clients log in to a server. What is secret is in a Secret in the namespace of their pods. */
export class MlflowLogin {
  /**
   * A user name and a password, as of `MlflowAuth.basic()`.
   *
   * @param secretName name of the Secret
   * @param options keys, if they are not `username` and `password`
   */
  public static fromSecretName(secretName: string, options: SecretKeysOptions = {}): MlflowLogin {
    return new MlflowLogin({
      MLFLOW_TRACKING_USERNAME: SecretKey.fromSecretName(secretName, options.usernameKey ?? 'username'),
      MLFLOW_TRACKING_PASSWORD: SecretKey.fromSecretName(secretName, options.passwordKey ?? 'password'),
    });
  }

  /** A token, as of `MlflowAuth.oauth2Proxy()` and `MlflowAuth.oidc()`. */
  public static fromToken(token: SecretKey): MlflowLogin {
    return new MlflowLogin({ MLFLOW_TRACKING_TOKEN: token });
  }

  private constructor(
    /** @internal */
    public readonly _variables: Readonly<Record<string, SecretKey>>,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    Object.values(this._variables).forEach((each) => {
      each._check(problems, prop);
    });
  }
}
