import { Duration } from 'cdk8s';
import { checkSeconds } from '../validation/checks';
import { container, type ContainerOptions, type PodContainer } from '../kube/pod/pod';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
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

  /**
   * The init container with these parts, unless the migration is off.
   *
   * @internal
   */
  public _initContainers(parts: readonly PodPart[], options: ContainerOptions): PodContainer[] {
    switch (this._kind) {
      case 'init':
        return [this._container(parts, options)];
      case 'job':
        return [this._container(parts, options, '--wait')];
      case 'off':
        return [];
    }
  }

  /** @internal */
  public _container(parts: readonly PodPart[], options: ContainerOptions, ...args: string[]): PodContainer {
    const settings: PodPart = {
      of: 'databaseMigration',
      envVariables: texts({ PGAPPNAME: 'init-mlflow', MIGRATION_DEADLINE_SECONDS: this.deadline.toSeconds() }),
    };
    return container('init-mlflow', [...parts, settings], {
      ...options,
      command: scriptCommand('migrate_database.py', ...args),
    });
  }
}
