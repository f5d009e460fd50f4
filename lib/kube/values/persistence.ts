import { Size, SizeRoundingBehavior } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkObjectName } from '../../validation/checks';
import type { ObjectLabels } from '../pod/labels';
import type { Problems } from '../../validation/problems';

/** Options of a new PersistentVolumeClaim. */
export interface NewClaimOptions {
  /**
   * Size of the volume, whole GiB.
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
   * Access modes. With ReadWriteMany, several replicas share the volume, if the storage class supports it.
   * @default [PersistentVolumeAccessMode.READ_WRITE_ONCE]
   */
  readonly accessModes?: kplus.PersistentVolumeAccessMode[];
}

/** Options of an existing PersistentVolumeClaim. */
export interface ExistingClaimOptions {
  /**
   * Access modes of the claim, which the synthesis cannot read from the cluster.
   * @default [PersistentVolumeAccessMode.READ_WRITE_ONCE]
   */
  readonly accessModes?: kplus.PersistentVolumeAccessMode[];
}

/** Storage of a pod: a new PersistentVolumeClaim, an existing one, or none. */
export class Persistence {
  /** A new claim, part of the app. */
  public static newClaim(options: NewClaimOptions = {}): Persistence {
    return new Persistence('new', options.accessModes, options);
  }

  /** A claim that exists, with its own size and storage class. */
  public static existingClaim(claimName: string, options: ExistingClaimOptions = {}): Persistence {
    return new Persistence('existing', options.accessModes, {}, claimName);
  }

  /** No persistence: Kubernetes deletes the files with the pod. Choose it for trials and tests. */
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

  /** Size as a quantity of Kubernetes. @internal */
  public get _quantity(): string {
    return `${String(this._size.toGibibytes())}Gi`;
  }

  /** @internal */
  public get _isShared(): boolean {
    return this._kind !== 'none' && this._accessModes.includes(kplus.PersistentVolumeAccessMode.READ_WRITE_MANY);
  }

  /**
   * Name of the claim of the volume `name`, if there is one.
   *
   * @internal
   */
  public _claimNameFor(scope: Construct, name: string): string | undefined {
    const names = { new: `${scope.node.id}-${name}`, existing: this._claimName, none: undefined };
    return names[this._kind];
  }

  /**
   * Makes the volume `name`, and a claim whose name ends in `name` if it is a new one.
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
    checkVolumeSize(problems, `${prop}.size`, this._size);
    if (this._accessModes.length === 0) {
      problems.say(`\`${problems.name(prop)}.accessModes\` must name at least one access mode, got none.`);
    }
    const { READ_WRITE_ONCE_POD } = kplus.PersistentVolumeAccessMode;
    if (this._accessModes.includes(READ_WRITE_ONCE_POD) && this._accessModes.length > 1) {
      problems.add(`${prop}.accessModes`, 'must be READ_WRITE_ONCE_POD alone, or others', this._accessModes.join(', '));
    }
    checkStorageClass(problems, `${prop}.storageClassName`, this._storageClassName);
  }
}

/** Validates the name of a storage class. An empty one is Kubernetes' own word for a volume that is there already. */
export function checkStorageClass(problems: Problems, prop: string, name: string | undefined): void {
  if (name !== undefined && name !== '') {
    checkObjectName(problems, prop, name);
  }
}

/** Validates the size of a volume. */
export function checkVolumeSize(problems: Problems, prop: string, size: Size | undefined): void {
  const gibibytes = size?.toGibibytes({ rounding: SizeRoundingBehavior.NONE });
  if (gibibytes !== undefined && (!Number.isInteger(gibibytes) || gibibytes < 1)) {
    problems.add(prop, 'must be a whole number of GiB from 1', gibibytes);
  }
}
