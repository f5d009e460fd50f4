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
   * How long to wait for an unreachable database. Then the container fails, and Kubernetes restarts it.
   * @default Duration.minutes(2)
   */
  readonly deadline?: Duration;

  /**
   * Whether to wait for a missing database or role too, because something such as a `DatabaseBootstrap` creates them at the
   * same time. The check then also retries a wrong password, since PostgreSQL gives the same error for an unknown role.
   * @default false
   */
  readonly databaseMayAppear?: boolean;
}

/** Whether a pod checks its database connection before its other containers start. */
export class DatabaseConnectionCheck {
  /**
   * An init container logs in, runs a query and checks its privileges. It retries temporary failures (refused, unknown host,
   * starting up) and fails at once on permanent ones (wrong password, missing database, no TLS). Its log and
   * `kubectl describe pod` show the cause. In the pods of a server it is the container that migrates, `init-mlflow`; one of its
   * own, `wait-for-database`, in Jobs, without a migration, and where the migration connects around a pooler.
   */
  public static initContainer(options: DatabaseConnectionCheckOptions = {}): DatabaseConnectionCheck {
    return new DatabaseConnectionCheck(options.deadline ?? Duration.minutes(2), options.databaseMayAppear);
  }

  /** No check. The server itself retries for about 104 s, even with a wrong password, and then exits. */
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
   * What makes an init container check its connection first, unless the check is off.
   *
   * @internal
   */
  public get _part(): PodPart | undefined {
    return this.deadline === undefined
      ? undefined
      : {
          of: 'databaseConnectionCheck',
          envVariables: texts({
            DATABASE_WAIT_SECONDS: this.deadline.toSeconds(),
            ...(this.databaseMayAppear && { DATABASE_MAY_APPEAR: true }),
          }),
        };
  }

  /**
   * The init container with these parts, unless the check is off.
   *
   * @internal
   */
  public _initContainers(parts: readonly PodPart[], options: ContainerOptions): PodContainer[] {
    if (this._part === undefined) {
      return [];
    }
    const session: PodPart = {
      of: 'databaseConnectionCheck',
      envVariables: texts({ PGAPPNAME: 'wait-for-database' }),
    };
    return [
      container('wait-for-database', [...parts, this._part, session], {
        ...options,
        command: scriptCommand('wait_for_database.py'),
      }),
    ];
  }
}
