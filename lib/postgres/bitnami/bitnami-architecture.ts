import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** Options of {@link BitnamiArchitecture.replication}. */
export interface ReplicationOptions {
  /**
   * Number of read replicas.
   * @default 1
   */
  readonly readReplicas?: number;
}

/** PostgreSQL servers of a {@link BitnamiPostgres}: one, or a primary with read replicas. */
export class BitnamiArchitecture {
  /** One server. */
  public static standalone(): BitnamiArchitecture {
    return new BitnamiArchitecture(0);
  }

  /**
   * A primary, which accepts writes, and asynchronous read replicas. There is no automatic failover: use an operator such as
   * CloudNativePG for that.
   */
  public static replication(options: ReplicationOptions = {}): BitnamiArchitecture {
    return new BitnamiArchitecture(options.readReplicas ?? 1, true);
  }

  private constructor(
    /** Number of read replicas. */
    public readonly readReplicas: number,
    /** @internal */
    public readonly _replicates = false,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    if (this._replicates) {
      checkWhole(
        problems,
        'architecture.readReplicas',
        this.readReplicas,
        { least: 1 },
        'For one server, use BitnamiArchitecture.standalone().',
      );
    }
  }
}
