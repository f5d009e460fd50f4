import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** Options of a primary with read replicas. */
export interface ReplicationOptions {
  /**
   * Number of read replicas.
   * @default 1
   */
  readonly readReplicas?: number;
}

/** How many PostgreSQL servers there are, and what they do. */
export class BitnamiArchitecture {
  /** One server. */
  public static standalone(): BitnamiArchitecture {
    return new BitnamiArchitecture(0);
  }

  /**
   * A primary that takes the writes, and read replicas that follow it asynchronously. Nothing fails over by itself: for
   * that, use an operator such as CloudNativePG.
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
