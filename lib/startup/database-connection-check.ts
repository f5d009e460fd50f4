import { Duration } from 'cdk8s';

import { container, type ContainerOptions, type PodContainer } from '../kube/pod/pod';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import { scriptCommand } from '../scripts/scripts';
import { checkSeconds } from '../validation/checks';
import type { Problems } from '../validation/problems';

/** Options of a {@link DatabaseConnectionCheck}. */
export interface DatabaseConnectionCheckOptions {
  /**
   * How long to wait for a database that cannot be reached yet. After it the container fails, and Kubernetes starts it again.
   * @default Duration.minutes(2)
   */
  readonly deadline?: Duration;

  /**
   * Something else makes the database and its role at the same time, such as a `DatabaseBootstrap`: wait for them, too. A
   * wrong password is then waited for as well, since PostgreSQL answers an unknown role in the same words.
   * @default false
   */
  readonly databaseMayAppear?: boolean;
}

/** Whether a pod makes sure of its database before anything else starts. */
export class DatabaseConnectionCheck {
  /**
   * An init container, `wait-for-database`, logs in, runs a query and looks at its rights. It waits for what may heal
   * (refused, unknown host, starting up) and fails at once on what cannot (wrong password, missing database, no TLS),
   * with the cause in its log and in `kubectl describe pod`.
   */
  public static initContainer(options: DatabaseConnectionCheckOptions = {}): DatabaseConnectionCheck {
    return new DatabaseConnectionCheck(options.deadline ?? Duration.minutes(2), options.databaseMayAppear);
  }

  /** No check. The server retries by itself for about 104 s, a wrong password too, and then exits. */
  public static off(): DatabaseConnectionCheck {
    return new DatabaseConnectionCheck();
  }

  private constructor(
    private readonly deadline?: Duration,
    private readonly databaseMayAppear = false,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    checkSeconds(problems, 'databaseConnectionCheck.deadline', this.deadline);
  }

  /**
   * The init container with these parts, unless the check is off.
   *
   * @internal
   */
  public _initContainers(parts: readonly PodPart[], options: ContainerOptions): PodContainer[] {
    if (this.deadline === undefined) {
      return [];
    }
    const settings: PodPart = {
      of: 'databaseConnectionCheck',
      envVariables: texts({
        PGAPPNAME: 'wait-for-database',
        DATABASE_WAIT_SECONDS: this.deadline.toSeconds(),
        ...(this.databaseMayAppear && { DATABASE_MAY_APPEAR: true }),
      }),
    };
    return [
      container('wait-for-database', [...parts, settings], {
        ...options,
        command: scriptCommand('wait_for_database.py'),
      }),
    ];
  }
}
