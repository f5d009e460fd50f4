import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import { checkNew } from '../../validation/arguments';
import { changeMark } from '../../kube/values/digest';
import { fromSecretKey } from '../../kube/values/env-values';
import { type Problems } from '../../validation/problems';

/** Which keys of a Secret hold a login. */
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
  /** The PostgreSQL role to log in as. */
  readonly username: string;

  /** Its password: any characters. It is written into the Secret of the manifest, so keep that out of version control. */
  readonly password: string;
}

/** Everything that makes up {@link PostgresCredentials}. */
export interface PostgresCredentialsProps {
  /** The role to log in as: plain text, or a key of a Secret. */
  readonly username: kplus.EnvValue;

  /**
   * Its password: a key of a Secret.
   * @default - none: something else lets the role in, such as a client certificate or a sidecar
   */
  readonly password?: kplus.EnvValue;

  /**
   * Changes whenever the password changes, so that pods are replaced then. Must not reveal the password.
   * @default - pods keep the password that they were started with
   */
  readonly revision?: string;
}

/** The login of a PostgreSQL database. The password itself is only ever in a Secret. */
export class PostgresCredentials {
  /**
   * A login that exists in a Secret.
   *
   * @param secretName name of the Secret, in the namespace of the pods; of an `ISecret`, its `name`
   * @param options keys, where they are not `username` and `password`
   */
  public static fromSecretName(secretName: string, options: SecretKeysOptions = {}): PostgresCredentials {
    return new PostgresCredentials({
      username: fromSecretKey(secretName, options.usernameKey ?? 'username'),
      password: fromSecretKey(secretName, options.passwordKey ?? 'password'),
    });
  }

  /** A login that exists in a Secret of the app, or in one that was imported into it. */
  public static fromSecret(secret: kplus.ISecret, options: SecretKeysOptions = {}): PostgresCredentials {
    return PostgresCredentials.fromSecretName(secret.name, options);
  }

  /**
   * A login in plain text. Makes a Secret in `scope`, named by the scope's id, with the keys `username` and `password`.
   *
   * Pods are replaced when the password changes. What marks the change is one byte, so that nobody can test guesses
   * on it; one change in 256 goes unnoticed and takes a `kubectl rollout restart`.
   */
  public static fromLiterals(scope: Construct, literals: LiteralCredentials): PostgresCredentials {
    const { username, password } = literals;
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

  /** The role to log in as. */
  public readonly username: kplus.EnvValue;
  /** Its password, where it needs one. */
  public readonly password?: kplus.EnvValue;
  /** Changes whenever the password changes, where the password is known at synth. */
  public readonly revision?: string;

  public constructor(props: PostgresCredentialsProps) {
    checkNew('PostgresCredentials', props);
    this.username = props.username;
    this.password = props.password;
    this.revision = props.revision;
  }
}

/** What a Secret reference must look like. */
export function checkSecretKeys(problems: Problems, secretName: string, keys: Record<string, string>): void {
  checkObjectName(problems, 'secretName', secretName);
  for (const [prop, key] of Object.entries(keys)) {
    checkDataKey(problems, prop, key);
  }
}
