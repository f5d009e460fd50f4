import { Cron, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { problemsOf } from '../../kube/construct';
import { failAtOnce } from '../../kube/pod/job';
import { checkPodOptions } from '../../kube/pod/pod-options';
import type { IMlflowServer } from '../../server/mlflow-server-reference';
import { migrationBackupName } from '../../startup/database-migration';
import { checkConstruct } from '../../validation/arguments';
import { checkId, checkSeconds } from '../../validation/checks';
import { Operation, type OperationInput } from '../operation';
import { cronJobOf } from '../scheduled';

import { RESTORE_EXIT_CODES, RESTORE_SCRIPTS, restoreContainers } from './postgres-restore';

/** February 31: for a CronJob that is only a template, since Kubernetes requires a schedule. */
const NEVER = Cron.schedule({ minute: '0', hour: '0', day: '31', month: '2' });

/** Props of {@link MigrationRollback}. */
export interface MigrationRollbackProps {
  /** The server, with `DatabaseMigration.job({ backupTo })`. The pod uses its database, image, ServiceAccount and isolation. */
  readonly server: IMlflowServer;

  /**
   * Time limit of the rollback, including retries. An interrupted one changes nothing.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;

  /**
   * CPU, memory and temporary files of each container of the pod.
   * @default - requests 250 millicores, 256 MiB and 1 GiB of disk, limits 1 CPU, 512 MiB and 20 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * Priority class of the pod.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;
}

/**
 * The way back from a schema migration: a suspended CronJob, named by the construct's id, that runs when you tell it to:
 * `kubectl create job --from=cronjob/<id> <name>`.
 *
 * It replaces the content of the database with the newest dump that the migration Job of the server has made, in one
 * transaction: all of it, with the rows that were dumped, or nothing. What was logged since the dump is lost. Servers of the
 * newer image fail afterwards: apply the older image. The login must own all that is in the database.
 */
export class MigrationRollback extends Construct {
  /** The CronJob, which is suspended. */
  public readonly cronJob: kplus.CronJob;

  public constructor(scope: Construct, id: string, props: MigrationRollbackProps) {
    super(...checkConstruct('MigrationRollback', scope, id, props));
    const { server, resources, priorityClassName, deadline } = props;
    const { image, imagePullPolicy, imagePullSecrets, serviceAccount, isolation, migrationDumps } = server;
    const problems = problemsOf(this);
    checkId(problems, id);
    checkPodOptions(problems, { resources, priorityClassName });
    checkSeconds(problems, 'deadline', deadline);
    if (migrationDumps === undefined) {
      problems.say(
        '`server` must dump its database before a migration.',
        'Give it `databaseMigration: DatabaseMigration.job({ backupTo })`.',
      );
    }
    const input: OperationInput = {
      component: 'rollback',
      props: { image, imagePullPolicy, imagePullSecrets, serviceAccount, isolation, resources, priorityClassName },
      connection: server.backend.connection,
      scripts: RESTORE_SCRIPTS,
    };
    const pod = Operation.pod(this, problems, input, (operation) => ({
      isAnnotated: true,
      ...(migrationDumps === undefined
        ? { containers: [] }
        : restoreContainers(this, operation, {
            source: migrationDumps,
            dump: 'newest',
            backup: migrationBackupName(server.serverName),
            replace: true,
          })),
    }));
    this.cronJob = cronJobOf(this, pod, { deadline, schedule: NEVER }, { suspend: true, backoffLimit: 2 });
    failAtOnce(this.cronJob, RESTORE_EXIT_CODES);
  }
}
