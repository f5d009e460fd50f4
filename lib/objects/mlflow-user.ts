import { Construct } from 'constructs';

import { problemsOf } from '../kube/construct';
import type { SecretKey } from '../kube/values/secret-key';
import { checkConstruct } from '../validation/arguments';
import type { Problems } from '../validation/problems';

import type { MlflowObjects } from './mlflow-objects';
import { checkUsername, type ObjectProps } from './object-props';

/** Props of {@link MlflowUser}. */
export interface MlflowUserProps extends ObjectProps {
  /**
   * Name of the user.
   * @default - the construct's id
   */
  readonly username?: string;

  /**
   * Password, of 12 or more characters, in ASCII: MLflow decodes nothing else for artifact uploads and downloads. A user who has
   * another one gets this one again when the Job runs.
   */
  readonly password: SecretKey;

  /**
   * Whether the user is an administrator.
   * @default - a new user is none, and one who exists stays what it is
   */
  readonly isAdmin?: boolean;
}

/** A user of a server with `MlflowAuth.basic()`. */
export class MlflowUser extends Construct {
  /** Name of the user. */
  public readonly username: string;

  public constructor(scope: Construct, id: string, props: MlflowUserProps) {
    super(...checkConstruct('MlflowUser', scope, id, props));
    const { username = id, password, isAdmin, objects } = props;
    const problems = problemsOf(this);
    checkUsername(problems, 'username', username);
    password._check(problems, 'password');
    checkHasUsers(problems, objects, username);
    this.username = username;
    objects._declare(this, problems, {
      kind: 'user',
      name: username,
      fields: { is_admin: isAdmin },
      secret: password,
    });
  }
}

/** Validates that the server, as far as it is known, keeps users, and that the user is not the one of the server. */
export function checkHasUsers(problems: Problems, objects: MlflowObjects, username: string): void {
  const { _spec: spec, server } = objects;
  const administrator = spec?.authParts.administrator;
  if (spec !== undefined && administrator === undefined) {
    problems.say(
      `\`objects\` must be of a server with MlflowAuth.basic(), and "${server.serverName}" keeps no passwords of users.`,
      'Set its `auth`, or make users where they log in.',
    );
  }
  if (administrator?.username === username) {
    problems.add(
      'username',
      'must not be the first administrator of the server',
      username,
      'The server makes this user by `adminPassword` of its `auth`.',
    );
  }
}
