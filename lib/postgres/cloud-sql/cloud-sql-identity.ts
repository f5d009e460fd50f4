import { FileSource } from '../../kube/values/file-source';
import { checkGoogleAccount } from '../../identity/google-identity';
import type { Problems } from '../../validation/problems';

/** How the proxy proves to Google Cloud who it is. The account needs the role `roles/cloudsql.client`. */
export class CloudSqlIdentity {
  /**
   * By workload identity of GKE: the ServiceAccount of each pod that connects gets the annotation. Each of them has to be
   * allowed to act as the account (`roles/iam.workloadIdentityUser`); it has the name of its construct.
   *
   * @param serviceAccount the Google service account, `name@project.iam.gserviceaccount.com`
   */
  public static fromServiceAccount(serviceAccount: string): CloudSqlIdentity {
    return new CloudSqlIdentity(serviceAccount);
  }

  /**
   * By the key file of a service account, in a Secret. For clusters outside of Google Cloud.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   * @param key key of the Secret that holds the file
   */
  public static fromSecretName(secretName: string, key = 'key.json'): CloudSqlIdentity {
    return new CloudSqlIdentity(undefined, FileSource.fromSecret(secretName, key));
  }

  /**
   * By what is around it: workload identity federation, the account of the node, or a ServiceAccount of your own that has the
   * annotation already.
   */
  public static ambient(): CloudSqlIdentity {
    return new CloudSqlIdentity();
  }

  private constructor(
    /** @internal */
    public readonly _serviceAccount?: string,
    /** @internal */
    public readonly _keyFile?: FileSource,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    checkGoogleAccount(problems, 'identity', this._serviceAccount);
    this._keyFile?._check(problems, 'identity');
  }
}
