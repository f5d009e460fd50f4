import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkConstruct } from '../../validation/arguments';

import type { MySqlRepair } from './import-choices';
import { importJob, type ImportProps } from './import-job';
import type { MySqlSource } from './mysql-source';

/** Props of {@link MySqlImport}. */
export interface MySqlImportProps extends ImportProps {
  /** The MySQL or MariaDB database. */
  readonly source: MySqlSource;

  /**
   * Permitted changes to data that PostgreSQL cannot store.
   * @default - none: the import reports such data and fails
   */
  readonly repairs?: MySqlRepair[];
}

/**
 * A Job that copies the MySQL or MariaDB database of an MLflow server into PostgreSQL, once: all of it, or nothing.
 *
 * It reads all tables in one snapshot into a working copy in SQLite, upgrades that to the schema of the image, and copies it in
 * one transaction. Before it commits, it has compared each step by count and digest, and the old database with what was read:
 * nobody has written to it meanwhile. If it fails, nothing has changed and it can run again; a completed import is recognized.
 * Stop all servers on both databases first (`replicas: 0`), and remove the import from the app afterwards. The image needs
 * PyMySQL, which MLflow's extra `db`, and so the default image, has.
 */
export class MySqlImport extends Construct {
  /** The Job, named by its content. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: MySqlImportProps) {
    super(...checkConstruct('MySqlImport', scope, id, props));
    const { source, repairs } = props;
    this.job = importJob(this, id, props, { program: 'import-mysql', component: 'mysql-import', source, repairs });
  }
}
