import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkConstruct } from '../../validation/arguments';

import type { FileStoreSource } from './file-store-source';
import type { FileStoreRepair } from './import-choices';
import { importJob, type ImportProps } from './import-job';

/** Props of {@link FileStoreImport}. */
export interface FileStoreImportProps extends ImportProps {
  /** The folder `mlruns`. */
  readonly source: FileStoreSource;

  /**
   * Permitted changes to data that PostgreSQL cannot store.
   * @default - none: the import reports such data and fails
   */
  readonly repairs?: FileStoreRepair[];
}

/**
 * A Job that copies the file store of MLflow, a folder `mlruns`, into PostgreSQL, once: all of it, or nothing.
 *
 * It copies the files besides artifacts, and has MLflow's own `migrate-filestore` make a SQLite database of them. Each experiment,
 * run, model and trace is then compared with what MLflow's own file store reads, and all is copied in one transaction and compared
 * before it commits. If it fails, nothing has changed and it can run again; a completed import is recognized. Experiments get new
 * ids, since those of a file store have 18 digits and PostgreSQL's column holds 9: clients find them by name. Stop the old server
 * and all servers on the database first (`replicas: 0`), and remove the import from the app afterwards. The image needs MLflow
 * 3.17 or later.
 */
export class FileStoreImport extends Construct {
  /** The Job, named by its content. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: FileStoreImportProps) {
    super(...checkConstruct('FileStoreImport', scope, id, props));
    const { source, repairs = [] } = props;
    this.job = importJob(this, id, props, {
      program: 'import-file-store',
      component: 'file-store-import',
      source,
      // Every file store has ids that do not fit.
      repairs: ['renumber-experiments', ...repairs],
    });
  }
}
