import { text } from '../../kube/values/env-values';
import type { Problems } from '../../validation/problems';
import { PostgresCredentials } from '../connection/postgres-credentials';

import type { CloudSqlIdentity } from './cloud-sql-identity';

const SUFFIX = '.gserviceaccount.com';

/** How MLflow logs in to PostgreSQL, behind the proxy. */
export class CloudSqlLogin {
  /**
   * As the account that the proxy is, without a password. The proxy renews what proves it long before it expires, for the
   * connections that are opened from then on. The instance needs the flag `cloudsql.iam_authentication`, and the account a user
   * there (`gcloud sql users create`) and the role `roles/cloudsql.instanceUser`.
   *
   * @param user the account as PostgreSQL knows it: a service account without `.gserviceaccount.com`, `name@project.iam`
   */
  public static iam(user: string): CloudSqlLogin {
    return new CloudSqlLogin(new PostgresCredentials({ username: text(user) }), user);
  }

  /** With a password. The proxy then encrypts, and decides who may connect at all. */
  public static password(credentials: PostgresCredentials): CloudSqlLogin {
    return new CloudSqlLogin(credentials);
  }

  private constructor(
    /** @internal */
    public readonly _credentials: PostgresCredentials,
    /** @internal */
    public readonly _iamUser?: string,
  ) {}

  /** @internal */
  public _check(problems: Problems, identity: CloudSqlIdentity): void {
    const user = this._iamUser;
    const account = identity._serviceAccount;
    if (user === undefined) {
      if (this._credentials.password === undefined) {
        problems.say('`login` must have a password with CloudSqlLogin.password().', 'Use CloudSqlLogin.iam(user).');
      }
    } else if (!/^[^@\s]+@[^@\s]+$/.test(user) || user.endsWith(SUFFIX)) {
      problems.add(
        'login',
        'must be an account as PostgreSQL knows it',
        user,
        `Write a service account without ${SUFFIX}: name@project.iam.`,
      );
    } else if (account?.endsWith(SUFFIX) === true && account !== `${user}${SUFFIX}`) {
      problems.add(
        'login',
        `must be the account that the proxy is, ${account.slice(0, -SUFFIX.length)}`,
        user,
        'Let both be one account, or log in with a password.',
      );
    }
  }
}
