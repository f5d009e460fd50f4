import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import { checkSeconds } from '../validation/checks';
import { text } from '../kube/values/env-values';
import type { Problems } from '../validation/problems';

import { scriptCommand } from '../scripts/scripts';

/** Options of a {@link DatabaseMigration}. */
export interface DatabaseMigrationOptions {
  /**
   * How long to wait for another pod that is migrating. A migration of its own takes the time that it takes.
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;
}

/** Who brings the schema of the database to the version of the image. */
export class DatabaseMigration {
  /**
   * An init container, `init-mlflow`, of every pod. All pods take the same lock of PostgreSQL, so any number of them may
   * start at once; whoever comes first migrates. Choose it unless migrations take long.
   */
  public static initContainer(options: DatabaseMigrationOptions = {}): DatabaseMigration {
    return new DatabaseMigration('init', options.deadline);
  }

  /**
   * A Job, named by image and settings so that a new image runs a new one. It waits for the database as the pods do
   * (`databaseConnectionCheck`). Pods wait in `init-mlflow` until the schema is theirs, and run no DDL themselves. Choose it for long migrations, or where pods must not own the schema.
   */
  public static job(options: DatabaseMigrationOptions = {}): DatabaseMigration {
    return new DatabaseMigration('job', options.deadline);
  }

  /** Nobody: run `mlflow db upgrade` yourself before the server starts. */
  public static off(): DatabaseMigration {
    return new DatabaseMigration('off');
  }

  private constructor(
    /** @internal */
    public readonly _kind: 'init' | 'job' | 'off',
    private readonly deadline = Duration.minutes(10),
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    checkSeconds(problems, 'databaseMigration.deadline', this.deadline);
  }

  /** @internal */
  public _initContainers(base: kplus.ContainerProps): kplus.ContainerProps[] {
    switch (this._kind) {
      case 'init':
        return [this.container(base)];
      case 'job':
        return [this.container(base, '--wait')];
      case 'off':
        return [];
    }
  }

  /** @internal */
  public _jobContainer(base: kplus.ContainerProps): kplus.ContainerProps {
    return this.container(base);
  }

  private container(base: kplus.ContainerProps, ...args: string[]): kplus.ContainerProps {
    return {
      ...base,
      name: 'init-mlflow',
      command: scriptCommand('migrate_database.py', ...args),
      envVariables: {
        ...base.envVariables,
        PGAPPNAME: text('init-mlflow'),
        MIGRATION_DEADLINE_SECONDS: text(this.deadline.toSeconds()),
      },
    };
  }
}
