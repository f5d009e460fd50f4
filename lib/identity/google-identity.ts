import type { Construct } from 'constructs';

import { metadataRoute } from '../kube/network/network-route';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import { FileSource } from '../kube/values/file-source';
import type { Problems } from '../validation/problems';

/**
 * The metadata server of GKE, which issues credentials to pods, with and without Dataplane V2.
 * @see https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy
 */
const METADATA = metadataRoute(['169.254.169.252', '169.254.169.254'], 80, 988);

/**
 * Identity of pods at Google Cloud. Give the same one to every prop that needs it: `CloudSqlPostgres`, `GcsArtifacts`.
 * @example
 * const identity = GoogleIdentity.fromServiceAccount('mlflow@project.iam.gserviceaccount.com');
 */
export class GoogleIdentity {
  /**
   * A Google service account, by workload identity: the ServiceAccount of each pod gets the annotation
   * `iam.gke.io/gcp-service-account`. Each of them, which has the name of its construct, needs the role
   * `roles/iam.workloadIdentityUser` on the account. Choose it on GKE.
   *
   * @param serviceAccount the Google service account, `name@project.iam.gserviceaccount.com`
   */
  public static fromServiceAccount(serviceAccount: string): GoogleIdentity {
    return new GoogleIdentity(serviceAccount);
  }

  /**
   * The key file of a Google service account, in a Secret. Choose it outside of Google Cloud.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   * @param key key of the Secret that holds the file
   */
  public static fromSecretName(secretName: string, key = 'key.json'): GoogleIdentity {
    return new GoogleIdentity(undefined, FileSource.fromSecret(secretName, key));
  }

  /**
   * The identity that the SDK finds in the pod: workload identity federation, the account of the node, or the annotation of a
   * `serviceAccount` of your own.
   */
  public static ambient(): GoogleIdentity {
    return new GoogleIdentity();
  }

  private constructor(
    /** @internal */
    public readonly _serviceAccount?: string,
    private readonly keyFile?: FileSource,
  ) {}

  /** @internal */
  public get _hasKeyFile(): boolean {
    return this.keyFile !== undefined;
  }

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    const account = this._serviceAccount;
    if (account !== undefined && !/^[^@\s]+@[^@\s]+$/.test(account)) {
      problems.add(prop, 'must be a Google service account (name@project.iam.gserviceaccount.com)', account);
    }
    this.keyFile?._check(problems, prop);
  }

  /** The part of each pod with this identity. `name` tells the key files of a pod apart. @internal */
  public _part(scope: Construct, name: string): PodPart {
    if (this.keyFile !== undefined) {
      const folder = `/etc/${name}-key`;
      return {
        envVariables: texts({ GOOGLE_APPLICATION_CREDENTIALS: `${folder}/key.json` }),
        volumeMounts: [this.keyFile._mount(scope, `${name}-key`, folder, 'key.json')],
      };
    }
    return this._serviceAccount === undefined
      ? { routes: [METADATA] }
      : {
          routes: [METADATA],
          serviceAccountAnnotations: { 'iam.gke.io/gcp-service-account': this._serviceAccount },
        };
  }
}
