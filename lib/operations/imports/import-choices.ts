/** What happens to data that the database already has. Two databases cannot be merged: their ids and names collide. */
export enum ExistingData {
  /** The import fails and changes nothing. Choose it unless you know the data. */
  REFUSE = 'refuse',

  /**
   * The data of the tracking server is deleted in the same transaction. Choose it to repeat an import, and remove the import
   * from the app afterwards: whenever its Job changes, it would delete what was logged since.
   */
  REPLACE = 'replace',
}

/** A change to data of SQLite that PostgreSQL cannot store, made in the copy. The Job logs each one. */
export enum SqliteRepair {
  /**
   * Gives new ids to experiments with ids above 2147483647. `mlflow migrate-filestore` creates such ids: allow it for every
   * import of a former `mlruns` folder. Clients then find the experiment by its name, no longer by its old id.
   */
  RENUMBER_EXPERIMENTS = 'renumber-experiments',

  /**
   * Omits rows whose run, experiment or model does not exist. MLflow never shows them; SQLite kept them because it checks
   * foreign keys only on request.
   */
  DROP_ORPHANS = 'drop-orphans',

  /** Replaces NUL characters in texts by U+FFFD, the replacement character: PostgreSQL stores no NUL. */
  REPLACE_NUL = 'replace-nul',
}

/** A change to data of MySQL that PostgreSQL cannot store, made in the copy. The Job logs each one. */
export enum MySqlRepair {
  /**
   * Omits rows whose run, experiment or model does not exist. MLflow never shows them; MySQL has such rows only if its check of
   * foreign keys was switched off, or of tables in MyISAM.
   */
  DROP_ORPHANS = 'drop-orphans',

  /** Replaces NUL characters in texts by U+FFFD, the replacement character: PostgreSQL stores no NUL. */
  REPLACE_NUL = 'replace-nul',
}

/** A change to data of a file store that PostgreSQL cannot store, made in the copy. The Job logs each one. */
export enum FileStoreRepair {
  /** Omits rows whose run, experiment or model does not exist, such as what a folder holds that was deleted in part. */
  DROP_ORPHANS = 'drop-orphans',

  /** Replaces NUL characters in texts by U+FFFD, the replacement character: PostgreSQL stores no NUL. */
  REPLACE_NUL = 'replace-nul',
}
