import type { Construct } from 'constructs';

import { labelsOf } from '../kube/pod/labels';
import { Persistence } from '../kube/values/persistence';
import { Problems } from '../validation/problems';
import { checkNew } from '../validation/arguments';

import { type ArtifactLocation, ArtifactVisibility, type IArtifactStore } from './artifact-store';

const MOUNT_PATH = '/mlflow/artifacts';

/** Props of {@link VolumeArtifacts}. */
export interface VolumeArtifactsProps {
  /**
   * PersistentVolumeClaim: a new one, an existing one, or none. With ReadWriteMany, several replicas share it.
   * @default Persistence.newClaim() - 10 GiB, ReadWriteOnce, the default storage class
   */
  readonly persistence?: Persistence;

  /**
   * Folder of the volume for artifacts, such as `mlartifacts`.
   * @default - the volume itself
   */
  readonly defaultArtifactsDestination?: string;

  /**
   * Artifact root of new experiments for clients: a URI that they can access. A path such as `./mlruns` is an error, since
   * clients would write to their own disk.
   * @default 'mlflow-artifacts:/' - clients upload and download through the server
   * @see https://mlflow.org/docs/latest/self-hosting/architecture/artifact-store/
   */
  readonly defaultArtifactRoot?: string;
}

/** Artifacts on a volume of the server. Clients upload and download through the server. */
export class VolumeArtifacts implements IArtifactStore {
  private readonly persistence: Persistence;

  public constructor(private readonly props: VolumeArtifactsProps = {}) {
    checkNew('VolumeArtifacts', props);
    this.persistence = props.persistence ?? Persistence.newClaim();
  }

  public bind(scope: Construct): ArtifactLocation {
    this.check(scope);
    const folder = this.props.defaultArtifactsDestination?.replace(/^\.\//, '');
    const volume = this.persistence._volume(scope, 'artifacts', labelsOf('mlflow', scope.node.id, 'artifacts'));
    return {
      claimName: this.persistence._claimNameFor(scope, 'artifacts'),
      destination: folder === undefined ? MOUNT_PATH : `${MOUNT_PATH}/${folder}`,
      defaultArtifactRoot: this.props.defaultArtifactRoot,
      visibility: this.visibility(),
      volumeMounts: [{ path: MOUNT_PATH, volume }],
    };
  }

  private check(scope: Construct): void {
    const problems = Problems.of(scope);
    const { defaultArtifactRoot: root, defaultArtifactsDestination: folder } = this.props;
    this.persistence._check(problems, 'persistence');
    if (root !== undefined && !/^[a-z][-a-z0-9+.]*:/.test(root)) {
      problems.add(
        'defaultArtifactRoot',
        'must be a URI',
        root,
        "MLflow resolves a path in the pod, and clients write to that path on their own disk. Leave it out, or use 'mlflow-artifacts:/'.",
      );
    }
    if (folder !== undefined && !/^(\.\/)?[-\w]+(\/[-\w]+)*$/.test(folder)) {
      problems.add(
        'defaultArtifactsDestination',
        'must be a folder of the volume (letters, digits, dashes, slashes)',
        folder,
      );
    }
    problems.throwIfAny();
  }

  private visibility(): ArtifactVisibility {
    if (this.persistence._kind === 'none') {
      return ArtifactVisibility.POD;
    }
    return this.persistence._isShared ? ArtifactVisibility.CLUSTER : ArtifactVisibility.NODE;
  }
}
