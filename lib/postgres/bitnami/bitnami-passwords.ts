import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import { SET_VARIABLE } from '../../validation/type-words';
import { labelsOf } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

/** Passwords in plain text: any characters, at most 100 of them (the image takes no more). */
export interface BitnamiPasswordLiterals {
  /** Password of the superuser `postgres`. Required where MLflow logs in as `postgres`. */
  readonly postgresPassword?: string;

  /** Password of `username`. Required where that is set. */
  readonly password?: string;

  /** Password that read replicas log in with. Required with `BitnamiArchitecture.replication()`. */
  readonly replicationPassword?: string;
}

/** Which keys of a Secret hold the passwords: the names of Bitnami's own Secret by default. */
export interface BitnamiPasswordKeys {
  /**
   * Key of the password of the superuser `postgres`.
   * @default 'postgres-password'
   */
  readonly postgresPasswordKey?: string;

  /**
   * Key of the password of `username`.
   * @default 'password'
   */
  readonly passwordKey?: string;

  /**
   * Key of the password that read replicas log in with.
   * @default 'replication-password'
   */
  readonly replicationPasswordKey?: string;
}

/** Where the passwords of a {@link BitnamiPostgres} come from. Containers get them as files. */
export class BitnamiPasswords {
  /** From plain text: makes a Secret named by the construct's id. Keep the manifest out of version control. */
  public static fromLiterals(literals: BitnamiPasswordLiterals): BitnamiPasswords {
    return new BitnamiPasswords({}, literals);
  }

  /** From a Secret that exists, in the namespace of the pods. */
  public static fromSecretName(secretName: string, keys: BitnamiPasswordKeys = {}): BitnamiPasswords {
    return new BitnamiPasswords(keys, undefined, secretName);
  }

  /** From a Secret of the app, or one that was imported into it. */
  public static fromSecret(secret: kplus.ISecret, keys: BitnamiPasswordKeys = {}): BitnamiPasswords {
    return BitnamiPasswords.fromSecretName(secret.name, keys);
  }

  /** @internal */
  public readonly _keys: Record<BitnamiRole, string>;

  private constructor(
    keys: BitnamiPasswordKeys,
    /** @internal */
    public readonly _literals?: BitnamiPasswordLiterals,
    /** @internal */
    public readonly _secretName?: string,
  ) {
    this._keys = {
      postgresPassword: keys.postgresPasswordKey ?? 'postgres-password',
      password: keys.passwordKey ?? 'password',
      replicationPassword: keys.replicationPasswordKey ?? 'replication-password',
    };
  }

  /** @internal */
  public _check(problems: Problems, roles: BitnamiRole[]): void {
    if (this._literals === undefined) {
      checkObjectName(problems, 'passwords.secretName', this._secretName);
      roles.forEach((role) => {
        checkDataKey(problems, `passwords.${role}Key`, this._keys[role]);
      });
      return;
    }
    for (const role of roles) {
      const literal = this._literals[role];
      if (literal === undefined) {
        problems.add(`passwords.${role}`, 'must be given', literal, SET_VARIABLE);
      } else if (literal.length > 100) {
        problems.say(
          `\`passwords.${role}\` must have at most 100 characters, got ${String(literal.length)}.`,
          'The image refuses to start with more.',
        );
      }
    }
  }
}

/** A login of the database server, by the name of its password. */
export type BitnamiRole = 'postgresPassword' | 'password' | 'replicationPassword';

/** The Secret with the passwords: a new one below `scope`, named by its id, or the one that exists. */
export function passwordSecret(scope: Construct, passwords: BitnamiPasswords): kplus.ISecret {
  const { _literals: literals, _secretName: secretName, _keys: keys } = passwords;
  if (secretName !== undefined) {
    return kplus.Secret.fromSecretName(scope, 'secret', secretName);
  }
  const roles = (Object.keys(keys) as BitnamiRole[]).filter((role) => literals?.[role] !== undefined);
  return new kplus.Secret(scope, 'secret', {
    metadata: { name: scope.node.id, labels: labelsOf('postgresql', scope.node.id, 'primary').all },
    stringData: Object.fromEntries(roles.map((role) => [keys[role], literals?.[role] ?? ''])),
  });
}
