import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { labelsOf } from '../kube/pod/labels';
import type { PodPart } from '../kube/pod/pod-part';
import { Persistence } from '../kube/values/persistence';
import type { Problems } from '../validation/problems';

import { checkS3Bucket, s3Part, s3Uri, type S3BucketProps } from './s3-bucket';

const VOLUME_FOLDER = '/backups';
const SCRATCH_FOLDER = '/scratch';

/** Bucket for dumps. */
export interface BackupBucketProps extends S3BucketProps {
  /**
   * Volume for one dump before its upload or after its download. `Persistence.none()` is the disk of the node.
   * @default Persistence.none()
   */
  readonly scratch?: Persistence;
}

/** A location, as the pods of an operation use it. */
export interface BoundLocation {
  /** URI or folder for the scripts. */
  readonly uri: string;
  /** Folder for the dump in progress. */
  readonly workFolder: string;
  /** Mounts of the containers that read or write a dump. */
  readonly workMounts: kplus.VolumeMount[];
  /** Credentials and CA, for the container that stores or fetches alone. */
  readonly access: PodPart;
}

/** Location of the dumps of a database. */
export abstract class BackupLocation {
  /**
   * A volume. Choose another disk than the database's, or both are lost together.
   *
   * @param persistence a new claim, named by the construct's id and `-dumps`, or an existing one
   */
  public static volume(persistence: Persistence = Persistence.newClaim()): BackupLocation {
    return new VolumeLocation(persistence);
  }

  /** A bucket of S3 or a compatible store, such as MinIO. */
  public static s3(props: BackupBucketProps): BackupLocation {
    return new BucketLocation(props);
  }

  /** @internal */
  public abstract _check(problems: Problems, prop: string): void;

  /** Makes the volumes. Reading dumps needs no write access. @internal */
  public abstract _bind(scope: Construct, readOnly?: boolean): BoundLocation;

  /** The same location, for operations other than the backup with this id, which makes the claim. @internal */
  public abstract _madeBy(id: string): BackupLocation;

  /** Whether it exists before this app is applied. @internal */
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

  public _bind(scope: Construct, readOnly = false): BoundLocation {
    const volume = this.persistence._volume(scope, 'dumps', labelsOf('mlflow', scope.node.id, 'dumps'));
    return {
      uri: VOLUME_FOLDER,
      workFolder: readOnly ? SCRATCH_FOLDER : VOLUME_FOLDER,
      workMounts: readOnly
        ? [{ path: VOLUME_FOLDER, volume, readOnly }, scratchMount(scope)]
        : [{ path: VOLUME_FOLDER, volume }],
      access: {},
    };
  }

  public _madeBy(id: string): BackupLocation {
    const { _kind, _accessModes } = this.persistence;
    return _kind === 'new'
      ? new VolumeLocation(Persistence.existingClaim(`${id}-dumps`, { accessModes: _accessModes }))
      : this;
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
      workMounts: [scratchMount(scope, this.props.scratch)],
      access: s3Part(scope, this.props, 'backup-ca'),
    };
  }

  public _madeBy(): BackupLocation {
    return this;
  }
}

function scratchMount(scope: Construct, persistence = Persistence.none()): kplus.VolumeMount {
  const volume = persistence._volume(scope, 'scratch', labelsOf('mlflow', scope.node.id, 'scratch'));
  return { path: SCRATCH_FOLDER, volume };
}
