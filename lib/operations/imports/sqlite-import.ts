import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkConstruct } from '../../validation/arguments';

import type { SqliteRepair } from './import-choices';
import { importJob, type ImportProps } from './import-job';
import type { SqliteSource } from './sqlite-source';

/** Props of {@link SqliteImport}. */
export interface SqliteImportProps extends ImportProps {
  /** The SQLite file. */
  readonly source: SqliteSource;

  /**
   * Permitted changes to data that PostgreSQL cannot store.
   * @default - none: the import reports such data and fails
   */
  readonly repairs?: SqliteRepair[];
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
    const { source, repairs } = props;
    this.job = importJob(this, id, props, { program: 'import-sqlite', component: 'sqlite-import', source, repairs });
  }
}
