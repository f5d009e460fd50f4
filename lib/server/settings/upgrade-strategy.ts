/**
 * The order in which pods are replaced when the image, and with it the schema of the database, changes.
 *
 * A running MLflow server on a newer schema continues to log and search; creating a registered model can fail with HTTP 500
 * until its pod is replaced. A server never starts on a schema of another version.
 */
export enum UpgradeStrategy {
  /**
   * New pods start before old ones stop: no request is refused, but old pods serve on the new schema for a while. The first
   * new pod (or the Job) migrates, and the others wait for it. Choose it unless the release notes ask for the other.
   */
  ROLLING = 'rolling',

  /**
   * Old pods stop before new ones start, and so before the migration: no server runs on another schema, and no requests are
   * served meanwhile. Choose it for releases whose notes ask for it. A ReadWriteOnce volume requires it.
   */
  RECREATE = 'recreate',
}
