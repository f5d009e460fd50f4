import { Cron, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { IMAGES } from '../../images';
import { texts } from '../../kube/values/env-values';
import { failAtOnce } from '../../kube/pod/fail-at-once';
import { labelsOf } from '../../kube/pod/labels';
import { completePodSpec } from '../../kube/pod/pod-spec';
import { Problems } from '../../validation/problems';
import { DatabaseConnectionCheck } from '../../startup/database-connection-check';
import { exitCode, scriptCommand, ScriptFiles } from '../../scripts/scripts';

import type { BackupLocation, BoundLocation } from './backup-location';
import { cronJob, DEFAULT_DEADLINE } from '../cron-job';
import { type OperationPod, operationPod } from '../operation-pod';
import { checkBackup, type PostgresBackupProps } from './postgres-backup-props';

const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'dump_database.sh', 'store_backup.py');

// The session that holds the snapshot, and pg_dump.
const CONNECTIONS = 2;

// Exit codes of the scripts that no second try would change: cannot heal, pg_dump is too old, old dumps stay.
const NON_RETRYABLE_EXIT_CODES = {
  'wait-for-database': [exitCode('FAILED')],
  dump: [exitCode('WRONG_VERSION')],
  store: [exitCode('NOT_DELETED')],
};

/**
 * Dumps a database on a schedule, as a CronJob: `pg_dump` in a compressed archive that is read back before it counts.
 *
 * A dump is a file `<id>-<time>-<pod>.dump` with a manifest beside it (`.json`: digest, size, rows of each table), which
 * is written last. What a pod that died has left is no dump, and is cleared away. Only dumps of this id are ever deleted,
 * only after a new one is stored, and never the newest.
 *
 * A schema migration waits for a dump that runs, and a dump for a migration. Artifacts are not in a dump.
 */
export class PostgresBackup extends Construct {
  /** The CronJob, to go on from. */
  public readonly cronJob: kplus.CronJob;

  /** Where the dumps are, for a {@link PostgresRestore}. */
  public readonly dumps: BackupLocation;

  public constructor(scope: Construct, id: string, props: PostgresBackupProps) {
    super(scope, id);
    const problems = new Problems(this);
    checkBackup(problems, id, props);
    problems.throwIfAny();

    const labels = labelsOf('mlflow', id, 'backup');
    const place = props.target._bind(this);
    const { connection } = props.backend;
    const operation = operationPod(this, props, labels, connection, SCRIPTS, {
      routes: place.routes,
      identity: { prop: 'target', annotations: place.serviceAccountAnnotations },
      connections: CONNECTIONS,
    });
    const deadline = props.deadline ?? DEFAULT_DEADLINE;
    this.dumps = props.target._madeBy(id);
    this.cronJob = cronJob(this, labels, props, {
      ...operation.pod,
      schedule: props.schedule ?? Cron.daily(),
      suspend: props.suspend,
      backoffLimit: 2,
      initContainers: [
        ...operation.pod.initContainers,
        ...DatabaseConnectionCheck.initContainer()._initContainers(operation.container),
        dumpContainer(operation, props, place, deadline),
      ],
      containers: [storeContainer(id, operation, props, place, deadline)],
    });
    completePodSpec(this.cronJob, operation.fields);
    failAtOnce(this.cronJob, NON_RETRYABLE_EXIT_CODES);
  }
}

function dumpContainer(
  { container }: OperationPod,
  props: PostgresBackupProps,
  place: BoundLocation,
  deadline: Duration,
): kplus.ContainerProps {
  return {
    ...container,
    name: 'dump',
    image: props.clientImage ?? IMAGES.postgres,
    command: scriptCommand('dump_database.sh'),
    envVariables: { ...container.envVariables, ...workVariables(place, deadline) },
    volumeMounts: [...(container.volumeMounts ?? []), ...place.workMounts],
  };
}

function storeContainer(
  id: string,
  { unconnected }: OperationPod,
  props: PostgresBackupProps,
  place: BoundLocation,
  deadline: Duration,
): kplus.ContainerProps {
  const { count = 7, maxAge } = props.retention ?? {};
  return {
    ...unconnected,
    name: 'store',
    command: scriptCommand('store_backup.py'),
    envVariables: {
      ...unconnected.envVariables,
      ...place.access.envVariables,
      ...workVariables(place, deadline),
      ...texts({
        BACKUP_NAME: id,
        BACKUP_LOCATION: place.uri,
        KEEP_COUNT: count,
        ...(maxAge !== undefined && { KEEP_SECONDS: maxAge.toSeconds() }),
      }),
    },
    volumeMounts: [...(unconnected.volumeMounts ?? []), ...place.workMounts, ...(place.access.volumeMounts ?? [])],
  };
}

function workVariables(place: BoundLocation, deadline: Duration): Record<string, kplus.EnvValue> {
  return texts({
    WORK_FOLDER: place.workFolder,
    // No pod outlives the deadline of its Job by more than the grace period.
    STALE_MINUTES: Math.ceil(deadline.toMinutes({ integral: false })) + 10,
  });
}
