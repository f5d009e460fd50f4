import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import type { BackupLocation } from '../artifacts/backup-location';
import { container, type ContainerOptions, type PodContainer, type PodInput } from '../kube/pod/pod';
import type { PodPart } from '../kube/pod/pod-part';
import { SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { texts } from '../kube/values/env-values';
import { scriptCommand } from '../scripts/scripts';
import { checkSeconds } from '../validation/checks';
import type { Problems } from '../validation/problems';

import { DEFAULT_RETAINED_DUMPS, dumpContainers } from './database-dump';

/** File in /tmp of the Job that exists where existing tables change. */
const PLAN_FILE = '/tmp/migration-plan';

/** Age at which what an unfinished dump has left belongs to a pod that is gone. */
const LONGEST_DUMP = Duration.hours(6);

/** Parts of the containers of a migration Job. */
export interface MigrationParts {
  /** Of what connects to the database. */
  readonly connected: readonly PodPart[];
  /** Of what runs MLflow as the server does. */
  readonly secrets: readonly (PodPart | undefined)[];
  /** Of what does not connect. */
  readonly unconnected: readonly PodPart[];
}

/** Options of a {@link DatabaseMigration}. */
export interface DatabaseMigrationOptions {
  /**
   * How long to wait for a migration by another pod. It does not limit the pod's own migration.
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;
}

/** Options of {@link DatabaseMigration.job}. */
export interface DatabaseMigrationJobOptions extends DatabaseMigrationOptions {
  /**
   * Location of the dump that the Job makes and verifies before it changes existing tables; the newest 7 are kept. MLflow cannot
   * downgrade a schema: a `MigrationRollback` restores the dump. A dump that fails stops the migration.
   * @default - no dump
   */
  readonly backupTo?: BackupLocation;
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
  public static job(options: DatabaseMigrationJobOptions = {}): DatabaseMigration {
    return new DatabaseMigration('job', options.deadline, options.backupTo);
  }

  /** No migration: run `mlflow db upgrade` yourself before the server starts. */
  public static off(): DatabaseMigration {
    return new DatabaseMigration('off');
  }

  private constructor(
    /** @internal */
    public readonly _kind: 'init' | 'job' | 'off',
    private readonly deadline = Duration.minutes(10),
    /** @internal */
    public readonly _backupTo?: BackupLocation,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    checkSeconds(problems, 'databaseMigration.deadline', this.deadline);
    this._backupTo?._check(problems, 'databaseMigration.backupTo');
  }

  /**
   * The init container with these parts, unless the migration is off.
   *
   * @internal
   */
  public _initContainers(parts: readonly (PodPart | undefined)[], options: ContainerOptions): PodContainer[] {
    switch (this._kind) {
      case 'init':
        return [this.container(parts, options)];
      case 'job':
        return [this.container(parts, options, '--wait')];
      case 'off':
        return [];
    }
  }

  /**
   * The containers of the Job: the dump and the migration.
   *
   * @internal
   */
  public _jobContainers(
    scope: Construct,
    { connected, unconnected, secrets }: MigrationParts,
    options: ContainerOptions,
  ): Pick<PodInput, 'containers'> & { readonly initContainers: PodContainer[] } {
    const migrating = [...connected, ...secrets];
    const containers = [this.container(migrating, options)];
    if (this._backupTo === undefined) {
      return { initContainers: [], containers };
    }
    const session: PodPart = { envVariables: texts({ PGAPPNAME: 'dump' }) };
    const plan: PodPart = { of: 'databaseMigration', envVariables: texts({ MIGRATION_PLAN: PLAN_FILE }) };
    const input = {
      of: 'databaseMigration.backupTo',
      name: migrationBackupName(scope.node.id),
      location: this._backupTo._bind(scope),
      deadline: LONGEST_DUMP,
      count: DEFAULT_RETAINED_DUMPS,
      parts: [plan],
    };
    const dump = dumpContainers(input, (name, { script, connects, parts = [], image = options.image }) =>
      container(name, [...(connects ? [...connected, session] : unconnected), ...parts], {
        ...options,
        image,
        resources: { ...options.resources, ephemeralStorage: SCRATCH_SPACE },
        command: scriptCommand(...script),
      }),
    );
    const planning = { ...this.container([...migrating, plan], options, '--plan'), name: 'plan-migration' };
    return { initContainers: [planning, ...dump], containers };
  }

  private container(
    parts: readonly (PodPart | undefined)[],
    options: ContainerOptions,
    ...args: string[]
  ): PodContainer {
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

/** Name of the dumps that the migration Job of a server makes. */
export function migrationBackupName(serverName: string): string {
  return `${serverName}-migration`;
}
