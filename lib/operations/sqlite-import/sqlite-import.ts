import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkSeconds } from '../../validation/checks';
import { checkConstruct } from '../../validation/arguments';
import { texts } from '../../kube/values/env-values';
import { labelsOf } from '../../kube/pod/labels';
import { oneShotJob } from '../../kube/pod/job';
import { Problems } from '../../validation/problems';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import { addImport } from '../../rules/no-server-while-importing';
import { exitCode, ScriptFiles } from '../../scripts/scripts';

import { type ArtifactLocationRule, checkLocationRules } from './artifact-location-rule';
import { ExistingData } from './existing-data';
import { checkOperation, Operation, type OperationProps } from '../operation';
import type { SqliteRepair } from './sqlite-repair';
import type { SqliteSource } from './sqlite-source';
import { WorkingCopy } from './working-copy';

const SOURCE_FOLDER = '/source';
const COPY_FOLDER = '/copy';

// Exit codes of the script that no second try would change: newer schema, has data, bad source.
const NON_RETRYABLE_EXIT_CODES = { 'import-sqlite': ['WRONG_VERSION', 'HAS_DATA', 'BAD_SOURCE'].map(exitCode) };
const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'import_sqlite.py');

/** Props of {@link SqliteImport}. */
export interface SqliteImportProps extends OperationProps {
  /** The database to fill. Its tables are made where there are none. */
  readonly backend: IPostgresBackend;

  /** The SQLite file. */
  readonly source: SqliteSource;

  /**
   * Where artifacts are now: the first rule whose prefix fits a location rewrites it. A rule that fits none is an error. The
   * import moves no artifacts: copy them yourself.
   * @default - locations stay as they are
   */
  readonly artifactLocations?: ArtifactLocationRule[];

  /**
   * What may be changed where PostgreSQL cannot store what SQLite has.
   * @default - nothing: the import says what does not fit, and fails
   */
  readonly repairs?: SqliteRepair[];

  /**
   * What happens to data that is there already.
   * @default ExistingData.REFUSE
   */
  readonly existingData?: ExistingData;

  /**
   * Do everything, and roll it back. Tables are made in an empty database all the same; those of an older MLflow are not upgraded.
   * @default false
   */
  readonly dryRun?: boolean;

  /**
   * Where the copy goes that is worked on.
   * @default WorkingCopy.emptyDir()
   */
  readonly workingCopy?: WorkingCopy;

  /**
   * How long to wait for servers to stop, and for a migration that is under way. The import takes the time that it takes.
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;
}

/**
 * A Job that copies the SQLite database of an MLflow server into PostgreSQL, once: all of it, or nothing.
 *
 * It upgrades a copy of the file to the schema of the image, copies each table in one transaction, and compares both sides
 * before it commits. Killed or failed, it leaves nothing behind and can run again; what is imported already is recognized.
 * No server may run on the database meanwhile: give yours `replicas: 0`, and take the import out of the app afterwards.
 */
export class SqliteImport extends Construct {
  /** The Job, named by its content. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: SqliteImportProps) {
    super(...checkConstruct('SqliteImport', scope, id, props));
    const { workingCopy = WorkingCopy.emptyDir(), artifactLocations = [], deadline = Duration.minutes(10) } = props;
    const problems = new Problems(this);
    checkOperation(problems, id, props);
    props.source._check(problems);
    checkLocationRules(problems, artifactLocations);
    workingCopy._check(problems);
    checkSeconds(problems, 'deadline', deadline);
    const pod = problems.finish(() => {
      const operation = new Operation(
        this,
        problems,
        labelsOf('mlflow', id, 'sqlite-import'),
        props,
        props.backend.connection,
        SCRIPTS,
      );
      return operation.pod({
        initContainers: operation.waitForDatabase(),
        containers: [
          operation.container('import-sqlite', {
            script: ['import_sqlite.py'],
            connects: true,
            parts: [
              {
                envVariables: texts({
                  IMPORT_SOURCE: `${SOURCE_FOLDER}/${props.source._path}`,
                  IMPORT_FOLDER: COPY_FOLDER,
                  // What SQLite sorts may not fit /tmp.
                  SQLITE_TMPDIR: COPY_FOLDER,
                  IMPORT_REPAIRS: [...new Set(props.repairs)].sort().join(','),
                  IMPORT_EXISTING_DATA: props.existingData ?? ExistingData.REFUSE,
                  IMPORT_DRY_RUN: props.dryRun ?? false,
                  IMPORT_DEADLINE_SECONDS: deadline.toSeconds(),
                  IMPORT_LOCATION_RULES: JSON.stringify(
                    artifactLocations.map(({ oldPrefix, newPrefix }) => [oldPrefix, newPrefix]),
                  ),
                }),
                volumeMounts: [
                  { path: SOURCE_FOLDER, volume: props.source._volume(this), readOnly: true },
                  { path: COPY_FOLDER, volume: workingCopy._volume(this) },
                ],
              },
            ],
          }),
        ],
        ephemeralVolumes: workingCopy._ephemeralVolumes,
      });
    });

    this.job = oneShotJob(this, 'job', pod, {
      name: id,
      // Another try after a lost node is as good as the first: nothing is half-done.
      backoffLimit: 3,
      failAtOnce: NON_RETRYABLE_EXIT_CODES,
    });
    addImport(props.backend, this);
  }
}
