import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import { SET_VARIABLE } from '../../validation/type-words';
import { labelsOf } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

/** Passwords in plain text: any characters, at most 100 (limit of the image). */
export interface BitnamiPasswordLiterals {
  /** Password of the superuser `postgres`. Required if MLflow logs in as `postgres`. */
  readonly postgresPassword?: string;

  /** Password of `username`. Required if that is set. */
  readonly password?: string;

  /** Password of the read replicas at the primary. Required with `BitnamiArchitecture.replication()`. */
  readonly replicationPassword?: string;
}

/** Keys of a Secret that hold the passwords. The defaults are those of Bitnami's chart. */
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
   * Key of the password of the read replicas at the primary.
   * @default 'replication-password'
   */
  readonly replicationPasswordKey?: string;
}

/** Passwords of a {@link BitnamiPostgres}. Containers mount them as files. */
export class BitnamiPasswords {
  /** Passwords in plain text, which go into a Secret named by the construct's id. Keep the manifest out of version control. */
  public static fromLiterals(literals: BitnamiPasswordLiterals): BitnamiPasswords {
    return new BitnamiPasswords({}, literals);
  }

  /** Passwords in a Secret that exists, in the namespace of the pods. */
  public static fromSecretName(secretName: string, keys: BitnamiPasswordKeys = {}): BitnamiPasswords {
    return new BitnamiPasswords(keys, undefined, secretName);
  }

  /** Passwords in a Secret of the app, or in one that was imported into it. */
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

/** Role of the database server, by the name of its password. */
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
