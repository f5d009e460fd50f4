import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import { checkNew } from '../../validation/arguments';
import { changeMark } from '../../kube/values/digest';
import { fromSecretKey } from '../../kube/values/env-values';
import { Problems } from '../../validation/problems';

/** Keys of a Secret that hold a login. */
export interface SecretKeysOptions {
  /**
   * Key of the user name.
   * @default 'username'
   */
  readonly usernameKey?: string;

  /**
   * Key of the password.
   * @default 'password'
   */
  readonly passwordKey?: string;
}

/** A login in plain text. */
export interface LiteralCredentials {
  /** PostgreSQL role to log in as. */
  readonly username: string;

  /** Password of the role, with any characters. The manifest holds it in a Secret: keep the manifest out of version control. */
  readonly password: string;
}

/** Props of {@link PostgresCredentials}. */
export interface PostgresCredentialsProps {
  /** PostgreSQL role to log in as: plain text, or a key of a Secret. */
  readonly username: kplus.EnvValue;

  /**
   * Password of the role: a key of a Secret.
   * @default - no password: the role logs in by other means, such as a client certificate or a sidecar
   */
  readonly password?: kplus.EnvValue;

  /**
   * Text that changes when the password changes, so that pods are replaced. It must not reveal the password.
   * @default - pods are not replaced when the password changes
   */
  readonly revision?: string;
}

/** Login of a PostgreSQL database. The password is only in a Secret. */
export class PostgresCredentials {
  /**
   * A login in a Secret that exists.
   *
   * @param secretName name of the Secret, in the namespace of the pods; of an `ISecret`, its `name`
   * @param options keys, if they are not `username` and `password`
   */
  public static fromSecretName(secretName: string, options: SecretKeysOptions = {}): PostgresCredentials {
    return new PostgresCredentials({
      username: fromSecretKey(secretName, options.usernameKey ?? 'username'),
      password: fromSecretKey(secretName, options.passwordKey ?? 'password'),
    });
  }

  /** A login in a Secret of the app, or in one that was imported into it. */
  public static fromSecret(secret: kplus.ISecret, options: SecretKeysOptions = {}): PostgresCredentials {
    return PostgresCredentials.fromSecretName(secret.name, options);
  }

  /**
   * A login in plain text. Makes a Secret in `scope`, named by the scope's id, with the keys `username` and `password`.
   *
   * Pods are replaced when the password changes. An annotation marks the change with one byte, too little to test guesses of the
   * password on. So one change in 256 goes unnoticed, and needs a `kubectl rollout restart`.
   */
  public static fromLiterals(scope: Construct, literals: LiteralCredentials): PostgresCredentials {
    const { username, password } = literals;
    if (scope.node.tryFindChild('secret') !== undefined) {
      const problems = new Problems(scope);
      problems.say(
        '`scope` must be without a child `secret`, which PostgresCredentials.fromLiterals() makes in it.',
        "Give it a scope of its own: new Construct(scope, 'login').",
      );
      problems.throwIfAny();
    }
    const secret = new kplus.Secret(scope, 'secret', {
      metadata: { name: scope.node.id, labels: { 'app.kubernetes.io/managed-by': 'cdk8s' } },
      stringData: { username, password },
    });
    return new PostgresCredentials({
      username: fromSecretKey(secret.name, 'username'),
      password: fromSecretKey(secret.name, 'password'),
      revision: changeMark(scope.node.path, password),
    });
  }

  /** PostgreSQL role to log in as. */
  public readonly username: kplus.EnvValue;
  /** Password of the role, if it has one. */
  public readonly password?: kplus.EnvValue;
  /** Text that changes when the password changes, if the synthesis knows the password. */
  public readonly revision?: string;

  public constructor(props: PostgresCredentialsProps) {
    checkNew('PostgresCredentials', props);
    this.username = props.username;
    this.password = props.password;
    this.revision = props.revision;
  }
}

/** Validates a Secret with a login. */
export function checkLoginSecret(problems: Problems, secretName: string, keys: SecretKeysOptions): void {
  checkObjectName(problems, 'secretName', secretName);
  checkDataKey(problems, 'usernameKey', keys.usernameKey ?? 'username');
  checkDataKey(problems, 'passwordKey', keys.passwordKey ?? 'password');
}
