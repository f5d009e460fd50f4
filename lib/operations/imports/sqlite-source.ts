import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { PodPart } from '../../kube/pod/pod-part';
import { texts } from '../../kube/values/env-values';
import { checkDataKey, checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { isVolumePath } from './volume-path';

const SOURCE_FOLDER = '/source';

/** The SQLite file of the old server. It is mounted read-only; the import works on a copy. */
export class SqliteSource {
  /**
   * A file on an existing claim in the namespace of the Job. Stop the old server first: a ReadWriteOnce claim forces the Job
   * onto the node that holds it. The kubelet gives the volume's files to the pod's group, as for every pod, so that it can
   * read them; their content does not change.
   *
   * @param claimName name of the claim
   * @param path path of the file on the volume: `mlflow.db`, `data/mlflow.db`
   */
  public static fromClaim(claimName: string, path: string): SqliteSource {
    return new SqliteSource('claim', claimName, path);
  }

  /**
   * A file in an existing ConfigMap (`kubectl create configmap old-mlflow --from-file=mlflow.db`), for the small files of
   * MLflow 2. A ConfigMap holds at most 1 MiB, of which the empty tables of MLflow 3.17 take 0.9 MiB.
   *
   * @param configMapName name of the ConfigMap
   * @param key key of the ConfigMap that holds the file
   */
  public static fromConfigMap(configMapName: string, key: string): SqliteSource {
    return new SqliteSource('configMap', configMapName, key);
  }

  private constructor(
    private readonly kind: 'claim' | 'configMap',
    private readonly name: string,
    private readonly path: string,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    if (this.kind === 'configMap') {
      checkObjectName(problems, 'source.configMapName', this.name);
      checkDataKey(problems, 'source.key', this.path);
      return;
    }
    checkObjectName(problems, 'source.claimName', this.name);
    if (!isVolumePath(this.path)) {
      problems.add(
        'source.path',
        'must be the path of a file on the volume, without a leading slash',
        this.path,
        'Write `mlflow.db` or `folder/mlflow.db`.',
      );
    }
  }

  /** @internal */
  public _part(scope: Construct): PodPart {
    return {
      envVariables: texts({ IMPORT_SOURCE: `${SOURCE_FOLDER}/${this.path}` }),
      volumeMounts: [{ path: SOURCE_FOLDER, volume: this.volume(scope), readOnly: true }],
    };
  }

  private volume(scope: Construct): kplus.Volume {
    const name = 'source';
    return this.kind === 'claim'
      ? kplus.Volume.fromPersistentVolumeClaim(
          scope,
          'source-volume',
          kplus.PersistentVolumeClaim.fromClaimName(scope, 'source-claim', this.name),
          { name },
        )
      : kplus.Volume.fromConfigMap(
          scope,
          'source-volume',
          kplus.ConfigMap.fromConfigMapName(scope, 'source-config', this.name),
          { name },
        );
  }
}
