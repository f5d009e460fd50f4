import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { FileSource } from '../kube/file-source';
import type { Problems } from '../kube/problems';

const FOLDER = '/etc/mlflow-tls';

/** The certificate that the server shows to its clients, with its private key. It is read when a pod starts. */
export class ServerCertificate {
  /**
   * From a Secret of the type `kubernetes.io/tls`, as cert-manager makes them: keys `tls.crt` and `tls.key`.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   */
  public static fromSecretName(secretName: string): ServerCertificate {
    return new ServerCertificate(
      FileSource.fromSecret(secretName, 'tls.crt'),
      FileSource.fromSecret(secretName, 'tls.key'),
    );
  }

  /**
   * @param certificate the certificate and what links it to its CA, PEM
   * @param privateKey its key, PEM without a passphrase
   */
  public constructor(
    public readonly certificate: FileSource,
    public readonly privateKey: FileSource,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    this.certificate._check(problems, 'certificate.certificate');
    this.privateKey._check(problems, 'certificate.privateKey');
  }

  /** @internal */
  public _mounts(scope: Construct): kplus.VolumeMount[] {
    return [
      {
        path: `${FOLDER}/certificate`,
        volume: this.certificate._volume(scope, 'server-certificate', 'tls.crt'),
        readOnly: true,
      },
      { path: `${FOLDER}/key`, volume: this.privateKey._volume(scope, 'server-key', 'tls.key'), readOnly: true },
    ];
  }

  /** @internal */
  public get _uvicornOptions(): string[] {
    return [`--ssl-certfile=${FOLDER}/certificate/tls.crt`, `--ssl-keyfile=${FOLDER}/key/tls.key`];
  }
}
