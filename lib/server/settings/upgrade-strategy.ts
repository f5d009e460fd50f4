/**
 * In which order pods are replaced when the image, and with it the schema of the database, changes.
 *
 * A server of MLflow that runs on a schema newer than its own goes on logging and searching; creating a registered model
 * can fail with HTTP 500 until its pod is replaced. A server never starts on a schema other than its own.
 */
export enum UpgradeStrategy {
  /**
   * New pods first, old ones after: no request is refused, but old pods serve on the new schema for a while. The first
   * new pod migrates (or the Job does), and the others wait for it.
   */
  ROLLING = 'rolling',

  /**
   * Old pods stop before the first new one starts, and so before the migration: no server ever meets another schema, and
   * nobody is served meanwhile. For releases whose notes ask for it. A volume that one node holds forces it, too.
   */
  RECREATE = 'recreate',
}
