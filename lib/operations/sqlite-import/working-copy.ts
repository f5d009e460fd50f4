import { type Size, SizeRoundingBehavior } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { EphemeralVolume } from '../../kube/pod/pod';
import type { Problems } from '../../validation/problems';

/** Options of {@link WorkingCopy.emptyDir}. */
export interface EmptyDirCopyOptions {
  /**
   * More than this, and the pod is evicted.
   * @default - as much as the disk of the node has
   */
  readonly sizeLimit?: Size;
}

/** Options of {@link WorkingCopy.ephemeralVolume}. */
export interface EphemeralCopyOptions {
  /** How much storage to ask for: three times the file, if an older MLflow made it. */
  readonly size: Size;

  /**
   * The storage class.
   * @default - the default class of the cluster
   */
  readonly storageClassName?: string;
}

/**
 * Where the copy of the SQLite file goes that is brought to the schema of the image. It is gone with the pod.
 *
 * It takes the size of the file, and up to three times that while the schema of an older MLflow is upgraded.
 */
export class WorkingCopy {
  /** The disk of the node. Choose it for files of some GiB. */
  public static emptyDir(options: EmptyDirCopyOptions = {}): WorkingCopy {
    return new WorkingCopy(options.sizeLimit);
  }

  /** A volume that is made for the pod and goes with it. Choose it where the disk of a node is too small. */
  public static ephemeralVolume(options: EphemeralCopyOptions): WorkingCopy {
    return new WorkingCopy(undefined, options);
  }

  private constructor(
    private readonly sizeLimit?: Size,
    private readonly ephemeral?: EphemeralCopyOptions,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    const [prop, size] = this.ephemeral ? ['size', this.ephemeral.size] : ['sizeLimit', this.sizeLimit];
    const mebibytes = size?.toMebibytes({ rounding: SizeRoundingBehavior.NONE });
    if (mebibytes !== undefined && !(Number.isInteger(mebibytes) && mebibytes >= 1)) {
      problems.add(`workingCopy.${prop}`, 'must be a whole number of MiB from 1', mebibytes);
    }
  }

  /** @internal */
  public _volume(scope: Construct): kplus.Volume {
    // Becomes the ephemeral volume, which cdk8s-plus-28 lacks, when the pod is completed.
    return kplus.Volume.fromEmptyDir(scope, 'copy-volume', 'copy', { sizeLimit: this.sizeLimit });
  }

  /** @internal */
  public get _ephemeralVolumes(): EphemeralVolume[] | undefined {
    return (
      this.ephemeral && [
        {
          name: 'copy',
          size: `${String(this.ephemeral.size.toMebibytes())}Mi`,
          storageClassName: this.ephemeral.storageClassName,
        },
      ]
    );
  }
}
