import type { GoogleIdentity } from '../../identity/google-identity';
import { text } from '../../kube/values/env-values';
import type { Problems } from '../../validation/problems';
import { PostgresCredentials } from '../connection/postgres-credentials';

const SUFFIX = '.gserviceaccount.com';

/** Login of MLflow in PostgreSQL, behind the proxy. */
export class CloudSqlLogin {
  /**
   * Log in as the Google account of the proxy, without a password. The proxy renews its token long before it expires, and new
   * connections use the new one. The instance needs the flag `cloudsql.iam_authentication` and a user for the account
   * (`gcloud sql users create`); the account needs the role `roles/cloudsql.instanceUser`.
   *
   * @param user name of the account in PostgreSQL: a service account without `.gserviceaccount.com`, `name@project.iam`
   */
  public static iam(user: string): CloudSqlLogin {
    return new CloudSqlLogin(new PostgresCredentials({ username: text(user) }), user);
  }

  /** Log in with a password. The proxy encrypts the connection, and its identity needs the right to connect. */
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
  public _check(problems: Problems, identity: GoogleIdentity): void {
    const user = this._iamUser;
    const account = identity._serviceAccount;
    if (user === undefined) {
      if (this._credentials.password === undefined) {
        problems.say('`login` must have a password with CloudSqlLogin.password().', 'Use CloudSqlLogin.iam(user).');
      }
    } else if (!/^[^@\s]+@[^@\s]+$/.test(user) || user.endsWith(SUFFIX)) {
      problems.add(
        'login',
        'must be the name of an account in PostgreSQL',
        user,
        `For a service account, leave out ${SUFFIX}: name@project.iam.`,
      );
    } else if (account?.endsWith(SUFFIX) === true && account !== `${user}${SUFFIX}`) {
      problems.add(
        'login',
        `must be the account of \`identity\`, ${account.slice(0, -SUFFIX.length)}`,
        user,
        'Use one account for both, or log in with a password.',
      );
    }
  }
}
