/** What a pod has to show before the Service sends it requests. */
export class ReadinessCheck {
  /** The server process answers. It does so within milliseconds, even while all its threads are busy. The default. */
  public static readonly SERVER = new ReadinessCheck((prefix) => `${prefix}/health`);

  /**
   * The server answers and its database does, too, by reading experiment 0.
   *
   * It is dangerous: a database that is busy or restarts takes *every* pod out of the Service at once, so that clients
   * see refused connections instead of the 503 that they would retry. It also takes one of the 40 threads of a worker
   * for each probe, and waits in the queue where all are busy. With `readFromReplica`, it is the replica that is asked.
   * Choose it only where a proxy in front needs to know.
   */
  public static readonly DATABASE = new ReadinessCheck(
    (prefix) => `${prefix}/api/2.0/mlflow/experiments/get?experiment_id=0`,
  );

  private constructor(
    /** @internal */
    public readonly _path: (staticPrefix: string) => string,
  ) {}
}
