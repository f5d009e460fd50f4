import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { bucketAccess, bucketUri, checkBucket, type S3BucketProps } from '../../artifacts/s3-bucket';
import { labelsOf } from '../../kube/pod/labels';
import { Persistence } from '../../kube/values/persistence';
import type { PodPart } from '../../kube/pod/pod-part';
import type { Problems } from '../../validation/problems';

const VOLUME_FOLDER = '/backups';
const SCRATCH_FOLDER = '/scratch';

/** A bucket for dumps. */
export interface BackupBucketProps extends S3BucketProps {
  /**
   * Where a dump is made before it goes into the bucket, and checked when it comes from there: room for one dump.
   * `Persistence.none()` is the disk of the node.
   * @default Persistence.none()
   */
  readonly scratch?: Persistence;
}

/** What the pods of an operation need of a location. */
export interface BoundLocation {
  /** What scripts know the place by. */
  readonly uri: string;
  /** The folder in which a dump is worked on. */
  readonly workFolder: string;
  /** The mounts of every container that works on a dump. */
  readonly workMounts: kplus.VolumeMount[];
  /** What only the container needs that stores or fetches. */
  readonly access: PodPart;
}

/** Where dumps of a database are kept. */
export abstract class BackupLocation {
  /**
   * On a volume, which dumps are made on, too. It should not be on the disk of the database: they would be lost together.
   *
   * @param persistence a new claim, named by the construct's id and `-dumps`, or an existing one
   */
  public static volume(persistence: Persistence = Persistence.newClaim()): BackupLocation {
    return new VolumeLocation(persistence);
  }

  /** In a bucket of S3, or of a store that speaks its protocol. */
  public static s3(props: BackupBucketProps): BackupLocation {
    return new BucketLocation(props);
  }

  /** @internal */
  public abstract _check(problems: Problems, prop: string): void;

  /** For those that write dumps. @internal */
  public abstract _bind(scope: Construct): BoundLocation;

  /** For those that read dumps. @internal */
  public abstract _bindReadOnly(scope: Construct): BoundLocation;

  /** The same place, for others than the one that makes it: under this id. @internal */
  public abstract _madeBy(id: string): BackupLocation;

  /** Whether there is something in it that a restore could read. @internal */
  public abstract get _exists(): boolean;
}

class VolumeLocation extends BackupLocation {
  public constructor(private readonly persistence: Persistence) {
    super();
  }

  public get _exists(): boolean {
    return this.persistence._kind !== 'new';
  }

  public _check(problems: Problems, prop: string): void {
    this.persistence._check(problems, `${prop}.persistence`);
    if (this.persistence._kind === 'none') {
      problems.say(
        `\`${prop}\` must outlive the pod, got Persistence.none().`,
        'Use Persistence.newClaim() or Persistence.existingClaim(name).',
      );
    }
  }

  public _bind(scope: Construct): BoundLocation {
    return {
      uri: VOLUME_FOLDER,
      workFolder: VOLUME_FOLDER,
      workMounts: [{ path: VOLUME_FOLDER, volume: this.volume(scope) }],
      access: {},
    };
  }

  public _bindReadOnly(scope: Construct): BoundLocation {
    return {
      uri: VOLUME_FOLDER,
      workFolder: SCRATCH_FOLDER,
      workMounts: [
        { path: VOLUME_FOLDER, volume: this.volume(scope), readOnly: true },
        scratchMount(scope, Persistence.none()),
      ],
      access: {},
    };
  }

  public _madeBy(id: string): BackupLocation {
    const { _kind, _accessModes } = this.persistence;
    return _kind === 'new'
      ? new VolumeLocation(Persistence.existingClaim(`${id}-dumps`, { accessModes: _accessModes }))
      : this;
  }

  private volume(scope: Construct): kplus.Volume {
    return this.persistence._volume(scope, 'dumps', labelsOf('mlflow', scope.node.id, 'dumps'));
  }
}

class BucketLocation extends BackupLocation {
  public readonly _exists = true;

  public constructor(private readonly props: BackupBucketProps) {
    super();
  }

  public _check(problems: Problems, prop: string): void {
    checkBucket(problems, prop, this.props);
    this.props.scratch?._check(problems, `${prop}.scratch`);
  }

  public _bind(scope: Construct): BoundLocation {
    return {
      uri: bucketUri(this.props),
      workFolder: SCRATCH_FOLDER,
      workMounts: [scratchMount(scope, this.props.scratch ?? Persistence.none())],
      access: bucketAccess(scope, this.props, 'backup-ca'),
    };
  }

  public _bindReadOnly(scope: Construct): BoundLocation {
    return this._bind(scope);
  }

  public _madeBy(): BackupLocation {
    return this;
  }
}

function scratchMount(scope: Construct, persistence: Persistence): kplus.VolumeMount {
  const volume = persistence._volume(scope, 'scratch', labelsOf('mlflow', scope.node.id, 'scratch'));
  return { path: SCRATCH_FOLDER, volume };
}

/** What a location must look like, where one is given at all. */
export function checkLocation(problems: Problems, prop: string, location: BackupLocation | undefined): void {
  if (location === undefined) {
    problems.add(
      prop,
      'must say where dumps are',
      location,
      'Use BackupLocation.volume(persistence) or BackupLocation.s3(props).',
    );
  }
  location?._check(problems, prop);
}
