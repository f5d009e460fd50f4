import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { problemsOf } from '../../kube/construct';
import { oneShotJob } from '../../kube/pod/job';
import type { PodPart } from '../../kube/pod/pod-part';
import { texts } from '../../kube/values/env-values';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import { addFilling, NO_SERVER_WHILE_IMPORTING } from '../../rules/no-running-server';
import { addFillingJob } from '../../rules/one-filling-job';
import { exitCode, ScriptFiles } from '../../scripts/scripts';
import { checkSeconds } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { type ArtifactLocationRule, checkLocationRules } from '../artifact-location-rule';
import { checkOperation, Operation, type OperationProps } from '../operation';
import { WorkingCopy } from '../working-copy';

import { ExistingData } from './import-choices';

const COPY_FOLDER = '/copy';

// Exit codes after which a retry cannot succeed: newer schema or no driver, database has data, unusable source.
const NON_RETRYABLE_EXIT_CODES = ['WRONG_VERSION', 'HAS_DATA', 'BAD_SOURCE'].map(exitCode);

/** Props that all imports share. */
export interface ImportProps extends OperationProps {
  /** The database to import into. Missing tables are created. */
  readonly backend: IPostgresBackend;

  /**
   * Rules that rewrite artifact locations. The first rule that matches a location applies; a rule that matches none is an
   * error. The import moves no artifacts: copy them yourself.
   * @default - locations are unchanged
   */
  readonly artifactLocations?: ArtifactLocationRule[];

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
   * Volume for the working copy of the data, in SQLite.
   * @default WorkingCopy.emptyDir()
   */
  readonly workingCopy?: WorkingCopy;

  /**
   * How long to wait for servers to stop and for a running migration. It does not limit the import itself.
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;
}

/** Where an import reads. */
export interface ImportSource {
  _check(problems: Problems): void;
  /** The variables, files and routes of the container that reads. */
  _part(scope: Construct): PodPart;
}

/** What one import has and others have not. */
interface ImportInput {
  /** Its name: that of the container, and the script's with underscores. */
  readonly program: `import-${string}`;
  readonly component: string;
  readonly source: ImportSource;
  readonly repairs: readonly string[] | undefined;
}

/** The Job of an import. Throws all problems. */
export function importJob(scope: Construct, id: string, props: ImportProps, input: ImportInput): kplus.Job {
  const { workingCopy = WorkingCopy.emptyDir(), artifactLocations = [], deadline = Duration.minutes(10) } = props;
  const { program, component, source, repairs } = input;
  const script = `${program.replaceAll('-', '_')}.py`;
  const problems = problemsOf(scope);
  checkOperation(problems, id, props);
  source._check(problems);
  checkLocationRules(problems, artifactLocations);
  workingCopy._check(problems);
  checkSeconds(problems, 'deadline', deadline);
  const operation = {
    component,
    props,
    connection: props.backend.connection,
    scripts: ScriptFiles.named('wait_for_database.py', script),
    // One holds the lock. Servers on other databases of the PostgreSQL server may run meanwhile.
    connections: 2,
  };
  const pod = Operation.pod(scope, problems, operation, (made) => {
    const settings: PodPart = {
      envVariables: texts({
        IMPORT_FOLDER: COPY_FOLDER,
        // SQLite's temporary files may be larger than /tmp.
        SQLITE_TMPDIR: COPY_FOLDER,
        IMPORT_REPAIRS: [...new Set(repairs)].sort().join(','),
        IMPORT_EXISTING_DATA: props.existingData ?? ExistingData.REFUSE,
        IMPORT_DRY_RUN: props.dryRun ?? false,
        IMPORT_DEADLINE_SECONDS: deadline.toSeconds(),
        IMPORT_LOCATION_RULES: JSON.stringify(artifactLocations.map((rule) => [rule.oldPrefix, rule.newPrefix])),
      }),
      volumeMounts: [{ path: COPY_FOLDER, volume: workingCopy._volume(scope) }],
    };
    const parts = [{ of: 'source', ...source._part(scope) }, settings];
    return {
      initContainers: made.waitForDatabase(),
      containers: [made.container(program, { script: [script], connects: true, parts })],
      ephemeralVolumes: workingCopy._ephemeralVolumes,
    };
  });
  const job = oneShotJob(scope, 'job', pod, {
    name: id,
    // A failed pod leaves nothing behind, so that retries are safe.
    backoffLimit: 3,
    failAtOnce: { [program]: NON_RETRYABLE_EXIT_CODES },
  });
  addFilling(NO_SERVER_WHILE_IMPORTING, props.backend, scope);
  addFillingJob(scope, props.backend);
  return job;
}
