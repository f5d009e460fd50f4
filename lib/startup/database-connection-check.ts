import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import { checkSeconds } from '../validation/checks';
import { text } from '../kube/values/env-values';
import type { Problems } from '../validation/problems';

import { scriptCommand } from '../scripts/scripts';

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

  /** @internal */
  public _initContainers(base: kplus.ContainerProps): kplus.ContainerProps[] {
    if (this.deadline === undefined) {
      return [];
    }
    return [
      {
        ...base,
        name: 'wait-for-database',
        command: scriptCommand('wait_for_database.py'),
        envVariables: {
          ...base.envVariables,
          PGAPPNAME: text('wait-for-database'),
          DATABASE_WAIT_SECONDS: text(this.deadline.toSeconds()),
          ...(this.databaseMayAppear && { DATABASE_MAY_APPEAR: text(true) }),
        },
      },
    ];
  }
}
