import type { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { EphemeralVolume } from '../kube/pod/pod';
import { checkSize, mebibytesOf } from '../kube/pod/resources';
import { checkStorageClass } from '../kube/values/persistence';
import type { Problems } from '../validation/problems';

/** Options of {@link WorkingCopy.emptyDir}. */
export interface EmptyDirCopyOptions {
  /**
   * Size limit of the copy. A pod that exceeds it is evicted.
   * @default - none: the free disk of the node
   */
  readonly sizeLimit?: Size;
}

/** Options of {@link WorkingCopy.ephemeralVolume}. */
export interface EphemeralCopyOptions {
  /** Size of the volume: three times the file, if an older MLflow wrote it. */
  readonly size: Size;

  /**
   * Storage class.
   * @default - the default class of the cluster
   */
  readonly storageClassName?: string;
}

/**
 * Volume for the copy of the SQLite file that is upgraded to the schema of the image. It is deleted with the pod.
 *
 * It needs the size of the file, and up to three times that while the schema of an older MLflow is upgraded.
 */
export class WorkingCopy {
  /** The disk of the node. Choose it for files of a few GiB. */
  public static emptyDir(options: EmptyDirCopyOptions = {}): WorkingCopy {
    return new WorkingCopy(options.sizeLimit);
  }

  /** A volume that is created for the pod and deleted with it. Choose it where the disk of a node is too small. */
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
    checkSize(problems, `workingCopy.${prop}`, size);
    checkStorageClass(problems, 'workingCopy.storageClassName', this.ephemeral?.storageClassName);
  }

  /** @internal */
  public _volume(scope: Construct): kplus.Volume {
    // Replaced by the ephemeral volume, which cdk8s-plus-28 lacks, when the pod is completed.
    return kplus.Volume.fromEmptyDir(scope, 'copy-volume', 'copy', { sizeLimit: this.sizeLimit });
  }

  /** @internal */
  public get _ephemeralVolumes(): EphemeralVolume[] | undefined {
    const { size, storageClassName } = this.ephemeral ?? {};
    return size && [{ name: 'copy', size: `${String(mebibytesOf(size))}Mi`, storageClassName }];
  }
}
