import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkS3Bucket, s3Part, s3Uri, type S3BucketProps } from '../../artifacts/s3-bucket';
import { labelsOf } from '../../kube/pod/labels';
import { Persistence } from '../../kube/values/persistence';
import type { PodPart } from '../../kube/pod/pod-part';
import type { Problems } from '../../validation/problems';

const VOLUME_FOLDER = '/backups';
const SCRATCH_FOLDER = '/scratch';

/** Bucket for dumps. */
export interface BackupBucketProps extends S3BucketProps {
  /**
   * Volume for one dump: it is written there before its upload, and verified there after its download. `Persistence.none()`
   * is the disk of the node.
   * @default Persistence.none()
   */
  readonly scratch?: Persistence;
}

/** What the pods of an operation need of a location. */
export interface BoundLocation {
  /** The location, for the scripts. */
  readonly uri: string;
  /** Folder for the dump in progress. */
  readonly workFolder: string;
  /** Mounts of every container that reads or writes a dump. */
  readonly workMounts: kplus.VolumeMount[];
  /** For the container that stores or fetches, alone. */
  readonly access: PodPart;
}

/** Location of the dumps of a database. */
export abstract class BackupLocation {
  /**
   * A volume. It should not be on the disk of the database: both would be lost together.
   *
   * @param persistence a new claim, with the name of the construct and `-dumps`, or an existing one
   */
  public static volume(persistence: Persistence = Persistence.newClaim()): BackupLocation {
    return new VolumeLocation(persistence);
  }

  /** A bucket of S3 or of a compatible store, such as MinIO. */
  public static s3(props: BackupBucketProps): BackupLocation {
    return new BucketLocation(props);
  }

  /** @internal */
  public abstract _check(problems: Problems, prop: string): void;

  /** For an operation that writes dumps. @internal */
  public abstract _bind(scope: Construct): BoundLocation;

  /** For an operation that reads dumps. @internal */
  public abstract _bindReadOnly(scope: Construct): BoundLocation;

  /** The same location, for operations other than the backup with this id, which creates it. @internal */
  public abstract _madeBy(id: string): BackupLocation;

  /** Whether it exists already, so that it can have dumps in it. @internal */
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
    checkS3Bucket(problems.at(prop), this.props);
    this.props.scratch?._check(problems, `${prop}.scratch`);
  }

  public _bind(scope: Construct): BoundLocation {
    return {
      uri: s3Uri(this.props),
      workFolder: SCRATCH_FOLDER,
      workMounts: [scratchMount(scope, this.props.scratch ?? Persistence.none())],
      access: s3Part(scope, this.props, 'backup-ca'),
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
