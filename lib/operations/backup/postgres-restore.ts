import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { IMAGES } from '../../images';
import { labelsOf } from '../../kube/pod/labels';
import { oneShotJob } from '../../kube/pod/job';
import { texts } from '../../kube/values/env-values';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import { exitCode, ScriptFiles } from '../../scripts/scripts';
import { checkImage, checkSeconds } from '../../validation/checks';
import { checkConstruct } from '../../validation/arguments';
import { Problems } from '../../validation/problems';
import { checkOperation, Operation, type OperationProps } from '../operation';

import type { BackupLocation } from './backup-location';

const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'fetch_backup.py', 'restore_database.sh');

/** Exit codes of the scripts that no second try would change: cannot heal, no whole dump, not empty, pg_restore is too old. */
const NON_RETRYABLE_EXIT_CODES = {
  'wait-for-database': [exitCode('FAILED')],
  fetch: [exitCode('UNUSABLE_DUMP')],
  restore: [exitCode('NOT_EMPTY'), exitCode('WRONG_VERSION')],
};

/** Props of {@link PostgresRestore}. `image` is that of the container that fetches, which needs boto3 for a bucket. */
export interface PostgresRestoreProps extends OperationProps {
  /** The database to restore into: one that is empty. */
  readonly backend: IPostgresBackend;

  /** Where the dumps are: `dumps` of a {@link PostgresBackup}, or a place that exists. */
  readonly source: BackupLocation;

  /**
   * The name of a dump, such as `backup-20260102T030405Z-x7k2p`, or `newest`.
   * @default 'newest'
   */
  readonly dump?: string;

  /**
   * The image with pg_restore: its version must not be lower than that of the pg_dump that made the dump.
   * @default 'docker.io/library/postgres:18-bookworm'
   */
  readonly clientImage?: string;

  /**
   * How long the restore may take, all its tries together. What is cut off leaves the database empty.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

/**
 * Restores a dump into an empty database, once: a Job that is named by its content, so that applying it again does
 * nothing. To restore once more, delete the Job, or name another dump.
 *
 * The dump is read to its end and compared with its manifest first. One transaction then restores everything, without
 * owners, grants and extensions, and commits only if every table has the rows that it had. A database with anything in it
 * is refused. A server that starts meanwhile waits; its `init-mlflow` then migrates what was restored. Stop running ones.
 */
export class PostgresRestore extends Construct {
  /** The Job, to go on from. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: PostgresRestoreProps) {
    super(...checkConstruct('PostgresRestore', scope, id, props));
    const problems = new Problems(this);
    checkRestore(problems, id, props);
    const pod = problems.finish(() => {
      const operation = new Operation(
        this,
        problems,
        labelsOf('mlflow', id, 'restore'),
        props,
        props.backend.connection,
        SCRIPTS,
      );
      const place = props.source._bindReadOnly(this);
      const work = { volumeMounts: place.workMounts, envVariables: texts({ WORK_FOLDER: place.workFolder }) };
      const dump = { envVariables: texts({ BACKUP_LOCATION: place.uri, DUMP: props.dump ?? 'newest' }) };
      return operation.pod({
        initContainers: [
          ...operation.waitForDatabase(),
          operation.container('fetch', {
            script: ['fetch_backup.py'],
            connects: false,
            parts: [work, { of: 'source', ...place.access }, dump],
          }),
        ],
        containers: [
          operation.container('restore', {
            script: ['restore_database.sh'],
            image: props.clientImage ?? IMAGES.postgres,
            connects: true,
            parts: [work],
          }),
        ],
      });
    });

    this.job = oneShotJob(this, 'job', pod, {
      name: id,
      activeDeadline: props.deadline ?? Duration.hours(6),
      backoffLimit: 2,
      failAtOnce: NON_RETRYABLE_EXIT_CODES,
    });
  }
}

function checkRestore(problems: Problems, id: string, props: PostgresRestoreProps): void {
  checkOperation(problems, id, props);
  checkImage(problems, 'clientImage', props.clientImage);
  props.source._check(problems, 'source');
  if ((props.source as BackupLocation | undefined)?._exists === false) {
    problems.say(
      '`source` must be a claim that exists, got a new one, in which there is no dump.',
      'Use `dumps` of the PostgresBackup, or Persistence.existingClaim(name).',
    );
  }
  if (props.dump !== undefined && !/^(newest|[a-z0-9][-a-z0-9]*-\d{8}T\d{6}Z-[a-z0-9]+(\.dump)?)$/.test(props.dump)) {
    problems.add('dump', "must be 'newest' or the name of a dump (<id>-<time>-<pod>)", props.dump);
  }
  checkSeconds(problems, 'deadline', props.deadline);
}
