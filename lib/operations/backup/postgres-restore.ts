import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import type { BackupLocation } from '../../artifacts/backup-location';
import { IMAGES } from '../../images';
import { oneShotJob } from '../../kube/pod/job';
import type { PodInput } from '../../kube/pod/pod';
import { texts } from '../../kube/values/env-values';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import { addFilling, NO_SERVER_WHILE_RESTORING } from '../../rules/no-running-server';
import { addFillingJob } from '../../rules/one-filling-job';
import { exitCode, ScriptFiles } from '../../scripts/scripts';
import { checkSeconds } from '../../validation/checks';
import { checkImage } from '../../validation/image';
import { problemsOf } from '../../kube/construct';
import type { Problems } from '../../validation/problems';
import { checkConstruct } from '../../validation/arguments';
import { checkOperation, Operation, type OperationProps } from '../operation';

/** Scripts of a pod that restores a dump. */
export const RESTORE_SCRIPTS = ScriptFiles.named('wait_for_database.py', 'fetch_backup.py', 'restore_database.sh');

/** Exit codes after which a retry cannot succeed: permanent connection failure, no complete dump, database not empty, pg_restore too old. */
export const RESTORE_EXIT_CODES = {
  'wait-for-database': [exitCode('FAILED')],
  fetch: [exitCode('UNUSABLE_DUMP')],
  restore: [exitCode('NOT_EMPTY'), exitCode('WRONG_VERSION')],
};

/** Props of {@link PostgresRestore}. `image` runs the container that fetches the dump; a bucket needs boto3 in it. */
export interface PostgresRestoreProps extends OperationProps {
  /** The database to restore into. It must be empty. */
  readonly backend: IPostgresBackend;

  /** Location of the dumps: `dumps` of a {@link PostgresBackup}, or an existing location. */
  readonly source: BackupLocation;

  /**
   * Name of the dump, such as `backup-20260102T030405Z-x7k2p`, or `newest`.
   * @default 'newest'
   */
  readonly dump?: string;

  /**
   * Image with pg_restore, which must not be older than the pg_dump that made the dump.
   * @default 'docker.io/library/postgres:18-bookworm'
   */
  readonly clientImage?: string;

  /**
   * Time limit of the restore, including retries. An interrupted restore leaves the database empty.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

/**
 * Restores a dump into an empty database, once: a Job named by its content, so that applying it again does nothing. To
 * restore again, delete the Job or name another dump.
 *
 * The Job first reads the whole dump and compares it with its manifest. One transaction then restores everything except
 * owners, grants and extensions, and commits only if every table has the number of rows in the manifest. A database that
 * is not empty is refused. Stop running servers first: the rule `no-server-while-restoring` requires it. A server that starts during the restore waits, and its
 * `init-mlflow` then migrates the restored schema.
 */
export class PostgresRestore extends Construct {
  /** The Job. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: PostgresRestoreProps) {
    super(...checkConstruct('PostgresRestore', scope, id, props));
    const problems = problemsOf(this);
    checkRestore(problems, id, props);
    const { connection } = props.backend;
    // One at a time. Servers on other databases of the PostgreSQL server may run meanwhile.
    const input = { component: 'restore', props, connection, scripts: RESTORE_SCRIPTS, connections: 1 };
    const pod = Operation.pod(this, problems, input, (operation) =>
      restoreContainers(this, operation, { ...props, dump: props.dump ?? 'newest' }),
    );
    this.job = oneShotJob(this, 'job', pod, {
      name: id,
      activeDeadline: props.deadline ?? Duration.hours(6),
      backoffLimit: 2,
      failAtOnce: RESTORE_EXIT_CODES,
    });
    addFilling(NO_SERVER_WHILE_RESTORING, props.backend, this);
    addFillingJob(this, props.backend);
  }
}

/** Which dump is restored, and how. */
export interface RestoreInput {
  readonly source: BackupLocation;
  readonly dump: string;
  /** Name of the backup whose dumps count; otherwise those of all. */
  readonly backup?: string;
  /** Whether the dump replaces what is in the database, which must be empty otherwise. */
  readonly replace?: boolean;
  readonly clientImage?: string;
}

/** The containers that fetch a dump and restore it. */
export function restoreContainers(scope: Construct, operation: Operation, input: RestoreInput): PodInput {
  const location = input.source._bind(scope, true);
  const work = { volumeMounts: location.workMounts, envVariables: texts({ WORK_FOLDER: location.workFolder }) };
  const dump = {
    envVariables: texts({
      BACKUP_LOCATION: location.uri,
      DUMP: input.dump,
      ...(input.backup !== undefined && { BACKUP_NAME: input.backup }),
    }),
  };
  return {
    initContainers: [
      ...operation.waitForDatabase(),
      operation.container('fetch', {
        script: ['fetch_backup.py'],
        connects: false,
        parts: [work, { of: 'source', ...location.access }, dump],
      }),
    ],
    containers: [
      operation.container('restore', {
        script: ['restore_database.sh'],
        image: input.clientImage ?? IMAGES.postgres,
        connects: true,
        parts: [work, ...(input.replace === true ? [{ envVariables: texts({ REPLACE: 'on' }) }] : [])],
      }),
    ],
  };
}

function checkRestore(problems: Problems, id: string, props: PostgresRestoreProps): void {
  checkOperation(problems, id, props);
  checkImage(problems, 'clientImage', props.clientImage);
  props.source._check(problems, 'source');
  if ((props.source as BackupLocation | undefined)?._exists === false) {
    problems.say(
      '`source` must be an existing claim, got a new one, which holds no dump.',
      'Use `dumps` of the PostgresBackup, or Persistence.existingClaim(name).',
    );
  }
  if (props.dump !== undefined && !/^(newest|[a-z0-9][-a-z0-9]*-\d{8}T\d{6}Z-[a-z0-9]+(\.dump)?)$/.test(props.dump)) {
    problems.add('dump', "must be 'newest' or the name of a dump (<id>-<time>-<pod>)", props.dump);
  }
  checkSeconds(problems, 'deadline', props.deadline);
}
