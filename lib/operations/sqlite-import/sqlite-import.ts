import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkSeconds } from '../../validation/checks';
import { checkConstruct } from '../../validation/arguments';
import { texts } from '../../kube/values/env-values';
import { oneShotJob } from '../../kube/pod/job';
import { problemsOf } from '../../kube/construct';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import { addFilling, NO_SERVER_WHILE_IMPORTING } from '../../rules/no-running-server';
import { exitCode, ScriptFiles } from '../../scripts/scripts';

import { type ArtifactLocationRule, checkLocationRules } from '../artifact-location-rule';
import { ExistingData, type SqliteRepair } from './import-choices';
import { checkOperation, Operation, type OperationProps } from '../operation';
import type { SqliteSource } from './sqlite-source';
import { WorkingCopy } from '../working-copy';

const SOURCE_FOLDER = '/source';
const COPY_FOLDER = '/copy';

// Exit codes after which a retry cannot succeed: newer schema, database has data, unusable source.
const NON_RETRYABLE_EXIT_CODES = { 'import-sqlite': ['WRONG_VERSION', 'HAS_DATA', 'BAD_SOURCE'].map(exitCode) };
const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'import_sqlite.py');

/** Props of {@link SqliteImport}. */
export interface SqliteImportProps extends OperationProps {
  /** The database to import into. Missing tables are created. */
  readonly backend: IPostgresBackend;

  /** The SQLite file. */
  readonly source: SqliteSource;

  /**
   * Rules that rewrite artifact locations. The first rule that matches a location applies; a rule that matches none is an
   * error. The import moves no artifacts: copy them yourself.
   * @default - locations are unchanged
   */
  readonly artifactLocations?: ArtifactLocationRule[];

  /**
   * Permitted changes to data that PostgreSQL cannot store.
   * @default - none: the import reports such data and fails
   */
  readonly repairs?: SqliteRepair[];

  /**
   * What happens to data that the database already has.
   * @default ExistingData.REFUSE
   */
  readonly existingData?: ExistingData;

  /**
   * Runs the whole import and rolls it back. Missing tables are created all the same; those of an older MLflow are not upgraded.
   * @default false
   */
  readonly dryRun?: boolean;

  /**
   * Volume for the working copy of the SQLite file.
   * @default WorkingCopy.emptyDir()
   */
  readonly workingCopy?: WorkingCopy;

  /**
   * How long to wait for servers to stop and for a running migration. It does not limit the import itself.
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;
}

/**
 * A Job that copies the SQLite database of an MLflow server into PostgreSQL, once: all of it, or nothing.
 *
 * It upgrades a copy of the file to the schema of the image, copies all tables in one transaction, and compares both sides
 * before it commits. If it fails, nothing has changed and it can run again; a completed import is recognized. Stop all
 * servers on the database first (`replicas: 0`), and remove the import from the app afterwards.
 */
export class SqliteImport extends Construct {
  /** The Job, named by its content. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: SqliteImportProps) {
    super(...checkConstruct('SqliteImport', scope, id, props));
    const { workingCopy = WorkingCopy.emptyDir(), artifactLocations = [], deadline = Duration.minutes(10) } = props;
    const problems = problemsOf(this);
    checkOperation(problems, id, props);
    props.source._check(problems);
    checkLocationRules(problems, artifactLocations);
    workingCopy._check(problems);
    checkSeconds(problems, 'deadline', deadline);
    const { connection } = props.backend;
    // One holds the lock. Servers on other databases of the PostgreSQL server may run meanwhile.
    const input = { component: 'sqlite-import', props, connection, scripts: SCRIPTS, connections: 2 };
    const pod = Operation.pod(this, problems, input, (operation) => {
      const settings = texts({
        IMPORT_SOURCE: `${SOURCE_FOLDER}/${props.source._path}`,
        IMPORT_FOLDER: COPY_FOLDER,
        // SQLite's temporary files may be larger than /tmp.
        SQLITE_TMPDIR: COPY_FOLDER,
        IMPORT_REPAIRS: [...new Set(props.repairs)].sort().join(','),
        IMPORT_EXISTING_DATA: props.existingData ?? ExistingData.REFUSE,
        IMPORT_DRY_RUN: props.dryRun ?? false,
        IMPORT_DEADLINE_SECONDS: deadline.toSeconds(),
        IMPORT_LOCATION_RULES: JSON.stringify(artifactLocations.map((rule) => [rule.oldPrefix, rule.newPrefix])),
      });
      const volumeMounts = [
        { path: SOURCE_FOLDER, volume: props.source._volume(this), readOnly: true },
        { path: COPY_FOLDER, volume: workingCopy._volume(this) },
      ];
      return {
        initContainers: operation.waitForDatabase(),
        containers: [
          operation.container('import-sqlite', {
            script: ['import_sqlite.py'],
            connects: true,
            parts: [{ envVariables: settings, volumeMounts }],
          }),
        ],
        ephemeralVolumes: workingCopy._ephemeralVolumes,
      };
    });
    this.job = oneShotJob(this, 'job', pod, {
      name: id,
      // A failed pod leaves nothing behind, so that retries are safe.
      backoffLimit: 3,
      failAtOnce: NON_RETRYABLE_EXIT_CODES,
    });
    addFilling(NO_SERVER_WHILE_IMPORTING, props.backend, this);
  }
}
