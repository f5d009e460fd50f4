import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** Where the SQLite file of the old server is. It is mounted read-only, and a copy of it is worked on. */
export class SqliteSource {
  /**
   * A file on a claim that exists, in the namespace of the Job. Stop the old server first: a claim that one node holds
   * (ReadWriteOnce) takes the Job to that node. The kubelet gives the volume's files to the group of the pod, as for every
   * pod, so that it can read them; their content stays as it is.
   *
   * @param claimName name of the claim
   * @param path where the file is on the volume: `mlflow.db`, `data/mlflow.db`
   */
  public static fromClaim(claimName: string, path: string): SqliteSource {
    return new SqliteSource('claim', claimName, path);
  }

  /**
   * A file in a ConfigMap that exists (`kubectl create configmap old-mlflow --from-file=mlflow.db`): for the small files of
   * MLflow 2. A ConfigMap holds 1 MiB at the most, and the empty tables of MLflow 3.17 alone take 0.9.
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
    /** @internal */
    public readonly _path: string,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    if (this.kind === 'configMap') {
      checkObjectName(problems, 'source.configMapName', this.name);
      checkDataKey(problems, 'source.key', this._path);
      return;
    }
    checkObjectName(problems, 'source.claimName', this.name);
    const parts = this._path.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..')) {
      problems.add(
        'source.path',
        'must be the path of a file from the top of the volume, without a leading slash',
        this._path,
        'Write `mlflow.db` or `folder/mlflow.db`.',
      );
    }
  }

  /** @internal */
  public _volume(scope: Construct): kplus.Volume {
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
