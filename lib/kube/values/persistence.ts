import { Size, SizeRoundingBehavior } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkObjectName } from '../../validation/checks';
import type { ObjectLabels } from '../pod/labels';
import type { Problems } from '../../validation/problems';

/** Options for a claim that is made with the pods. */
export interface NewClaimOptions {
  /**
   * How much storage to ask for.
   * @default Size.gibibytes(10)
   */
  readonly size?: Size;

  /**
   * The storage class. An empty one is for volumes that exist.
   * @default - the default class of the cluster
   * @mayBeEmpty
   */
  readonly storageClassName?: string;

  /**
   * How the volume may be mounted. ReadWriteMany lets several replicas share it, if the storage class can do that.
   * @default [PersistentVolumeAccessMode.READ_WRITE_ONCE]
   */
  readonly accessModes?: kplus.PersistentVolumeAccessMode[];
}

/** Options for a claim that exists. */
export interface ExistingClaimOptions {
  /**
   * How the claim may be mounted: what it says itself, since a synthesis cannot ask the cluster.
   * @default [PersistentVolumeAccessMode.READ_WRITE_ONCE]
   */
  readonly accessModes?: kplus.PersistentVolumeAccessMode[];
}

/** Where files outlive a pod, or that they do not. */
export class Persistence {
  /** A claim made with the pods. */
  public static newClaim(options: NewClaimOptions = {}): Persistence {
    return new Persistence('new', options.accessModes, options);
  }

  /** A claim that exists. Its size and class are its own. */
  public static existingClaim(claimName: string, options: ExistingClaimOptions = {}): Persistence {
    return new Persistence('existing', options.accessModes, {}, claimName);
  }

  /** No persistence: the files are gone with the pod. For trials and for tests. */
  public static none(): Persistence {
    return new Persistence('none');
  }

  /** @internal */
  public readonly _size: Size;
  /** @internal */
  public readonly _storageClassName?: string;

  private constructor(
    /** @internal */
    public readonly _kind: 'new' | 'existing' | 'none',
    /** @internal */
    public readonly _accessModes = [kplus.PersistentVolumeAccessMode.READ_WRITE_ONCE],
    options: NewClaimOptions = {},
    /** @internal */
    public readonly _claimName = '',
  ) {
    this._size = options.size ?? Size.gibibytes(10);
    this._storageClassName = options.storageClassName;
  }

  /** @internal */
  public get _quantity(): string {
    return `${String(this._size.toGibibytes())}Gi`;
  }

  /** @internal */
  public get _isShared(): boolean {
    return this._kind !== 'none' && this._accessModes.includes(kplus.PersistentVolumeAccessMode.READ_WRITE_MANY);
  }

  /**
   * Name of the claim of that volume, where there is one.
   *
   * @internal
   */
  public _claimNameFor(scope: Construct, name: string): string | undefined {
    const names = { new: `${scope.node.id}-${name}`, existing: this._claimName, none: undefined };
    return names[this._kind];
  }

  /**
   * The volume, and the claim where it is a new one. `name` is the volume's, and the end of the claim's.
   *
   * @internal
   */
  public _volume(scope: Construct, name: string, labels: ObjectLabels): kplus.Volume {
    const [volumeId, claimId] = [`${name}-volume`, `${name}-claim`];
    if (this._kind === 'none') {
      return kplus.Volume.fromEmptyDir(scope, volumeId, name);
    }
    const claim =
      this._kind === 'existing'
        ? kplus.PersistentVolumeClaim.fromClaimName(scope, claimId, this._claimName)
        : new kplus.PersistentVolumeClaim(scope, claimId, {
            metadata: { name: this._claimNameFor(scope, name), labels: labels.all },
            accessModes: this._accessModes,
            storage: this._size,
            storageClassName: this._storageClassName,
          });
    return kplus.Volume.fromPersistentVolumeClaim(scope, volumeId, claim, { name });
  }

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    if (this._kind === 'existing') {
      checkObjectName(problems, `${prop}.claimName`, this._claimName);
    }
    const gibibytes = this._size.toGibibytes({ rounding: SizeRoundingBehavior.NONE });
    if (!Number.isInteger(gibibytes) || gibibytes < 1) {
      problems.add(`${prop}.size`, 'must be a whole number of GiB from 1', gibibytes);
    }
    if (this._accessModes.length === 0) {
      problems.say(`\`${problems.name(prop)}.accessModes\` must name at least one access mode, got none.`);
    }
  }
}
