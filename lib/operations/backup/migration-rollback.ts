import { Cron, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { problemsOf } from '../../kube/construct';
import { failAtOnce } from '../../kube/pod/job';
import { migrationBackupName } from '../../startup/database-migration';
import { checkConstruct } from '../../validation/arguments';
import { checkSeconds } from '../../validation/checks';
import {
  checkServerOperation,
  Operation,
  type OperationInput,
  propsOfServer,
  type ServerOperationProps,
} from '../operation';
import { cronJobOf } from '../scheduled';

import { RESTORE_EXIT_CODES, RESTORE_SCRIPTS, restoreContainers } from './postgres-restore';

/** February 31: for a CronJob that is only a template, since Kubernetes requires a schedule. */
const NEVER = Cron.schedule({ minute: '0', hour: '0', day: '31', month: '2' });

/** Props of {@link MigrationRollback}. The server needs `DatabaseMigration.job({ backupTo })`. */
export interface MigrationRollbackProps extends ServerOperationProps {
  /**
   * Time limit of the rollback, including retries. An interrupted one changes nothing.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
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
    const { server, deadline } = props;
    const { migrationDumps } = server;
    const problems = problemsOf(this);
    checkServerOperation(problems, id, props);
    checkSeconds(problems, 'deadline', deadline);
    if (migrationDumps === undefined) {
      problems.say(
        '`server` must dump its database before a migration.',
        'Give it `databaseMigration: DatabaseMigration.job({ backupTo })`.',
      );
    }
    const input: OperationInput = {
      component: 'rollback',
      props: propsOfServer(props),
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
