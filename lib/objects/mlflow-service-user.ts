import { Construct } from 'constructs';

import { problemsOf } from '../kube/construct';
import { labelsOf } from '../kube/pod/labels';
import { MlflowLogin } from '../server/clients/mlflow-login';
import { checkConstruct } from '../validation/arguments';
import { checkObjectName } from '../validation/checks';

import { checkHasUsers } from './mlflow-user';
import { checkUsername, type ObjectProps } from './object-props';

/** Props of {@link MlflowServiceUser}. */
export interface MlflowServiceUserProps extends ObjectProps {
  /**
   * Name of the user.
   * @default - the construct's id
   */
  readonly username?: string;

  /**
   * Name of the Secret with the keys `username` and `password`, in the namespace of the Job.
   * @default - the construct's id, with `-login`
   */
  readonly secretName?: string;

  /**
   * Whether the user is an administrator.
   * @default - a new user is none, and one who exists stays what it is
   */
  readonly isAdmin?: boolean;
}

/**
 * A login for a pipeline or a service: a user of a server with `MlflowAuth.basic()`, and a Secret with its password.
 *
 * The Job makes the password, in the cluster; a Secret that exists keeps its own. For a new password, delete the Secret and the Job,
 * and apply the Job again. To do so, its ServiceAccount may create Secrets in its namespace, whose names RBAC cannot limit, and
 * read the one of this user.
 */
export class MlflowServiceUser extends Construct {
  /** Name of the user. */
  public readonly username: string;

  /** Name of the Secret. */
  public readonly secretName: string;

  /** The login, for `connect()` of a server in the same namespace. */
  public readonly login: MlflowLogin;

  public constructor(scope: Construct, id: string, props: MlflowServiceUserProps) {
    super(...checkConstruct('MlflowServiceUser', scope, id, props));
    const { username = id, secretName = `${id}-login`, isAdmin, objects } = props;
    const problems = problemsOf(this);
    checkUsername(problems, 'username', username);
    checkObjectName(problems, 'secretName', secretName);
    checkHasUsers(problems, objects, username);
    this.username = username;
    this.secretName = secretName;
    this.login = MlflowLogin.fromSecretName(secretName);
    const labels = labelsOf('mlflow', objects.node.id, 'objects').all;
    objects._declare(this, problems, {
      kind: 'service user',
      name: username,
      fields: { is_admin: isAdmin, login: secretName, labels },
    });
    objects._makesSecret(secretName);
  }
}
