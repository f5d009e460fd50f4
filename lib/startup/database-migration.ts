import { Duration } from 'cdk8s';

import { container, type ContainerOptions, type PodContainer } from '../kube/pod/pod';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import { scriptCommand } from '../scripts/scripts';
import { checkSeconds } from '../validation/checks';
import type { Problems } from '../validation/problems';

/** Options of a {@link DatabaseMigration}. */
export interface DatabaseMigrationOptions {
  /**
   * How long to wait for a migration by another pod. It does not limit the pod's own migration.
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;
}

/** What upgrades the schema of the database to the version of the image. */
export class DatabaseMigration {
  /**
   * An init container, `init-mlflow`, of every pod. All pods take the same lock in PostgreSQL, so any number of them may start
   * at once; the first one migrates. Choose it unless migrations take long.
   */
  public static initContainer(options: DatabaseMigrationOptions = {}): DatabaseMigration {
    return new DatabaseMigration('init', options.deadline);
  }

  /**
   * A Job, named by its content, so that a new image runs a new one. It checks the connection as the pods do
   * (`databaseConnectionCheck`). Pods wait in `init-mlflow` for their schema version and run no DDL. Choose it for long
   * migrations, or where pods must not own the schema.
   */
  public static job(options: DatabaseMigrationOptions = {}): DatabaseMigration {
    return new DatabaseMigration('job', options.deadline);
  }

  /** No migration: run `mlflow db upgrade` yourself before the server starts. */
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
