/** What SQLite stores and PostgreSQL does not, and what may be done about it, in the copy. Each is in the Job's log. */
export enum SqliteRepair {
  /**
   * Experiments with numbers above 2147483647 get small ones. Such numbers come from `mlflow migrate-filestore`: allow it for
   * every import of what was a folder `mlruns`. Whoever asks for an experiment by its old number does not find it, by its
   * name does.
   */
  RENUMBER_EXPERIMENTS = 'renumber-experiments',

  /**
   * Rows without the run, the experiment or the model that they belong to are left out. MLflow shows them to nobody; SQLite
   * kept them because it checks no foreign keys unless it is told to.
   */
  DROP_ORPHANS = 'drop-orphans',

  /** NUL characters in texts become U+FFFD, the replacement character: PostgreSQL stores no NUL. */
  REPLACE_NUL = 'replace-nul',
}
