import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { PodPart } from '../../kube/pod/pod-part';
import { texts } from '../../kube/values/env-values';
import { checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { isVolumePath } from './volume-path';

const SOURCE_FOLDER = '/source';

/** The folder `mlruns` of an old server or of clients without one. It is mounted read-only. */
export class FileStoreSource {
  /**
   * A folder on an existing claim in the namespace of the Job. Stop the old server first: a ReadWriteOnce claim forces the Job
   * onto the node that holds it. The kubelet gives the volume's files to the pod's group, as for every pod, so that it can
   * read them; their content does not change.
   *
   * @param claimName name of the claim
   * @param path path of the folder on the volume, which has a folder for each experiment
   */
  public static fromClaim(claimName: string, path = 'mlruns'): FileStoreSource {
    return new FileStoreSource(claimName, path);
  }

  private constructor(
    private readonly claimName: string,
    private readonly path: string,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    checkObjectName(problems, 'source.claimName', this.claimName);
    if (!isVolumePath(this.path)) {
      problems.add(
        'source.path',
        'must be the path of a folder on the volume, without a leading slash',
        this.path,
        'Write `mlruns` or `folder/mlruns`.',
      );
    }
  }

  /** @internal */
  public _part(scope: Construct): PodPart {
    const claim = kplus.PersistentVolumeClaim.fromClaimName(scope, 'source-claim', this.claimName);
    const volume = kplus.Volume.fromPersistentVolumeClaim(scope, 'source-volume', claim, { name: 'source' });
    return {
      envVariables: texts({
        IMPORT_SOURCE: `${SOURCE_FOLDER}/${this.path}`,
        // MLflow opens the files of tags and params in the encoding of the locale.
        PYTHONUTF8: 1,
      }),
      volumeMounts: [{ path: SOURCE_FOLDER, volume, readOnly: true }],
    };
  }
}
